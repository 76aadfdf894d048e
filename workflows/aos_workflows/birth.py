"""What an agent begins with: its spec, or the state of the run before."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import RawValue

from aos.errors import InvalidInput
from aos.limits import SPEC_BYTES
from aos.names import agent_workflow_id
from aos.spec import AgentSpec
from aos_workflows.inbound import read
from aos_workflows.migrations import load_state
from aos_workflows.resume import carried
from aos_workflows.state import AgentState, life_of


def initial_state(given: RawValue) -> AgentState:
    """Return the state that a run begins with.

    Raises:
        InvalidInput: The spec cannot be read, or the workflow has another id than its agent.
    """
    if state := carried(given):
        return load_state(state)
    spec = read(AgentSpec, "agent", given, SPEC_BYTES)
    info = workflow.info()
    if info.workflow_id != agent_workflow_id(spec.name):
        problem = f"name: the agent {spec.name!r} must be started with the workflow id {agent_workflow_id(spec.name)!r}"
        raise InvalidInput("agent", [problem])
    return AgentState(spec=spec, life=life_of(info.first_execution_run_id or info.run_id), started=workflow.time())
