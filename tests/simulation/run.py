"""One run of the agent's workflow in the SDK's own workflow runtime. Its history is kept here, not by a server."""

# The SDK has no public way to build a workflow's definition for a runner, nor to look at the workflow's own object.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from temporalio import workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.common import Priority, TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails

from aos.names import agent_workflow_id
from aos_workflows.agent import PerpetualAgent
from aos_workflows.migrations import dump_state
from aos_workflows.state import AgentState
from simulation.truth import Broken

CONVERTER = pydantic_data_converter.payload_converter
FAILURES = pydantic_data_converter.failure_converter

_DEFINITION = workflow._Definition.must_from_class(PerpetualAgent)
_RUNNER = UnsandboxedWorkflowRunner()


class _NoLoop(asyncio.AbstractEventLoop):
    """What runs while an instance is made; it only has to be there."""


_NO_LOOP = _NoLoop()


def _no_patch(given: object) -> bool:
    return True


@dataclass(slots=True)
class _Step:
    activation: WorkflowActivation
    commands: list[WorkflowCommand]


class Run:
    """A run of the workflow. Of a run that is lost, what was recorded is replayed in a new instance.

    Args:
        name: The agent's name.
        number: Which run of the agent's life it is, from 0.
        argument: The workflow's input.
    """

    def __init__(self, name: str, number: int, argument: Payload) -> None:
        self.run_id = f"run-{number}"
        self.replays = 0
        self._name = name
        self._number = number
        self._argument = argument
        self._recorded: list[_Step] = []
        self._fresh: list[_Step] = []
        self._accepted: set[str] = set()
        self._instance: WorkflowInstance | None = None

    @property
    def agent(self) -> PerpetualAgent:
        """The workflow's own object, as it is in the worker's cache now."""
        return cast("Any", self._open())._object

    @property
    def state(self) -> AgentState:
        """The agent's state."""
        return self.agent._state

    @property
    def begun(self) -> bool:
        """Whether the first workflow task was recorded."""
        return bool(self._recorded)

    def activate(
        self, jobs: list[WorkflowActivationJob], now: float, length: int, *, suggested: bool
    ) -> list[WorkflowCommand]:
        """Have the workflow do `jobs`, and return its commands. They count once `record` is called."""
        activation = WorkflowActivation(run_id=self.run_id, history_length=length, jobs=jobs)
        activation.continue_as_new_suggested = suggested
        activation.timestamp.FromNanoseconds(int(now * 1e9))
        if not self._recorded and not self._fresh:
            first = WorkflowActivationJob()
            first.initialize_workflow.workflow_id = agent_workflow_id(self._name)
            first.initialize_workflow.arguments.append(self._argument)
            activation.jobs.insert(0, first)
        commands = self._do(self._open(), activation)
        self._fresh.append(_Step(activation, commands))
        return commands

    def query(self, name: str, argument: object, now: float) -> bytes:
        """Return the JSON that a query answers."""
        activation = WorkflowActivation(run_id=self.run_id)
        activation.timestamp.FromNanoseconds(int(now * 1e9))
        job = activation.jobs.add().query_workflow
        job.query_id, job.query_type = "q", name
        if argument is not None:
            job.arguments.append(CONVERTER.to_payload(argument))
        (command,) = self._do(self._open(), activation)
        if command.respond_to_query.HasField("failed"):
            raise Broken(f"the query {name} failed: {command.respond_to_query.failed.message}")
        return command.respond_to_query.succeeded.response.data

    def record(self) -> None:
        """Write what was done since the last record into history. Updates that were refused leave no trace there."""
        for step in self._fresh:
            self._accepted |= {
                command.update_response.protocol_instance_id
                for command in step.commands
                if command.update_response.HasField("accepted")
            }
            jobs = list(step.activation.jobs)
            if any(job.HasField("do_update") for job in jobs):
                jobs = [job for job in jobs if not self._refused(job)]
                del step.activation.jobs[:]
                step.activation.jobs.extend(jobs)
                for job in step.activation.jobs:
                    if job.HasField("do_update"):
                        job.do_update.run_validator = False
                step.commands = [command for command in step.commands if not self._refuses(command)]
            if jobs:
                self._recorded.append(step)
        self._fresh = []

    def accepted(self, update: str) -> bool:
        """Whether history has an update."""
        return update in self._accepted

    def _refused(self, job: WorkflowActivationJob) -> bool:
        return job.HasField("do_update") and not self.accepted(job.do_update.protocol_instance_id)

    def _refuses(self, command: WorkflowCommand) -> bool:
        return command.HasField("update_response") and not self.accepted(command.update_response.protocol_instance_id)

    def lose(self) -> None:
        """Forget everything that is not recorded: the worker is gone, or its task came to nothing."""
        self._fresh = []
        if self._instance is None:
            return
        activation = WorkflowActivation(run_id=self.run_id)
        activation.jobs.add().remove_from_cache.SetInParent()
        self._instance.activate(activation)
        self._instance = None

    def replayed(self) -> dict[str, object]:
        """Return the state that replaying the history comes to, and leave the run as it is then."""
        self.lose()
        return dump_state(self.state)

    def _open(self) -> WorkflowInstance:
        if self._instance is None:
            self._instance = self._made()
            self.replays += bool(self._recorded)
            for step in self._recorded:
                again = WorkflowActivation()
                again.CopyFrom(step.activation)
                again.is_replaying = True
                if self._do(self._instance, again) != step.commands:
                    raise Broken("a replay gives other commands than the run that was recorded")
        return self._instance

    def _do(self, instance: WorkflowInstance, activation: WorkflowActivation) -> list[WorkflowCommand]:
        done = instance.activate(activation)
        if done.HasField("failed"):
            raise Broken(f"a workflow task failed: {done.failed.failure.message}\n{done.failed.failure.stack_trace}")
        return list(done.successful.commands)

    def _made(self) -> WorkflowInstance:
        asyncio._set_running_loop(_NO_LOOP)
        try:
            return _RUNNER.create_instance(
                WorkflowInstanceDetails(
                    payload_converter_factory=lambda: CONVERTER,
                    failure_converter_class=pydantic_data_converter.failure_converter_class,
                    interceptor_classes=[],
                    defn=_DEFINITION,
                    info=_info(self._name, self._number),
                    randomness_seed=self._number,
                    extern_functions={},
                    disable_eager_activity_execution=False,
                    worker_level_failure_exception_types=[],
                    patch_activation_callback=_no_patch,
                    last_completion_result=Payloads(),
                    last_failure=None,
                )
            )
        finally:
            asyncio._set_running_loop(None)


def _info(name: str, number: int) -> workflow.Info:
    long_ago = datetime.fromtimestamp(0, UTC)
    return workflow.Info(
        attempt=1,
        continued_run_id=f"run-{number - 1}" if number else None,
        cron_schedule=None,
        execution_timeout=None,
        first_execution_run_id="run-0",
        headers={},
        namespace="simulated",
        original_execution_run_id=f"run-{number}",
        parent=None,
        priority=Priority.default,
        raw_memo={},
        retry_policy=None,
        root=None,
        run_id=f"run-{number}",
        run_timeout=None,
        search_attributes={},
        start_time=long_ago,
        task_queue="aos",
        task_timeout=timedelta(seconds=10),
        typed_search_attributes=TypedSearchAttributes([]),
        workflow_id=agent_workflow_id(name),
        workflow_start_time=long_ago,
        workflow_type=_DEFINITION.name or "",
    )
