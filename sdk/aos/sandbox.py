"""Temporal's workflow sandbox, as AOS uses it."""

from __future__ import annotations

from collections.abc import MutableSequence
from dataclasses import dataclass

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

from aos.query_guard import QueryGuard
from aos.task_record import TaskRecord

SURPLUS = "aos-arguments"
"""Metadata of a payload that stands for several: how many arguments were given where AOS takes one."""

# Modules that the sandbox takes from the process instead of loading them anew for every agent.
_PASSED_THROUGH = (
    # Contracts: loaded anew, their classes would not be those that the converter knows.
    "aos",
    "aos_activities",
    # The workflows' own pure parts: pydantic models take milliseconds to build, which every agent would pay.
    "aos_workflows.dead",
    "aos_workflows.mailbox",
    "aos_workflows.migrations",
    "aos_workflows.outbox",
    "aos_workflows.replies",
    "aos_workflows.resume",
    "aos_workflows.schedule",
    "aos_workflows.seen",
    "aos_workflows.state",
    "aos_workflows.waits",
    "aos_workflows.team.course",
    "aos_workflows.team.courses",
    "aos_workflows.team.ending",
    "aos_workflows.team.finished",
    "aos_workflows.team.state",
    "aos_workflows.team.task",
    "aos_workflows.team.watch",
    "aos_workflows.topic.log",
    "aos_workflows.topic.state",
    # Libraries that are deterministic as they are used.
    "annotated_types",
    "attrs",
    "cronsim",
    "jsonschema",
    "opentelemetry",
    "pydantic",
    "pydantic_core",
    "referencing",
    "rpds",
    "structlog",
    "zoneinfo",
)


# An agent's sandbox that loads these too takes 320 KiB instead of 95, and twice the time to start.
_CHECKED = ("aos_workflows", "temporalio")


def agent_sandbox(runner: WorkflowRunner | None, *, isolated: bool) -> WorkflowRunner:
    """Return the runner that workflows get where `runner` was asked for; one that is no sandbox stays as it is.

    With `isolated`, AOS's own workflow code is loaded anew in each sandbox, so that all that Temporal forbids there is
    found. Tests do so; it is too dear for the many agents of a worker.
    """
    if runner is not None and not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    restrictions = (runner or SandboxedWorkflowRunner()).restrictions
    passed_through = _PASSED_THROUGH if isolated else (*_PASSED_THROUGH, *_CHECKED)
    return AgentSandbox(restrictions=restrictions.with_passthrough_modules(*passed_through))


@dataclass(frozen=True)
class AgentSandbox(SandboxedWorkflowRunner):
    """Temporal's sandbox, whose workflows each have a `_Guarded` around them."""

    record: TaskRecord | None = None
    """Where a worker looks up its tasks; a replayer has none, and no queries."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return a new sandbox with its workflow in it."""
        workflow_id, record = det.info.workflow_id, self.record

        def settled(run_id: str, started: int) -> bool:
            return record is None or record.settled(workflow_id, run_id, started)

        return _Guarded(super().create_instance(det), QueryGuard(settled))


class _Guarded(WorkflowInstance):
    """A workflow in its sandbox, which is not entered for each payload.

    Temporal asks a workflow, inside its sandbox, six times for the context of every payload, so that a converter or a
    codec may depend on it. AOS's do not, and the answers were a fifth of a worker's work.
    """

    __slots__ = ("_guard", "_instance")

    def __init__(self, instance: WorkflowInstance, guard: QueryGuard) -> None:
        self._instance = instance
        self._guard = guard

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        for job in act.jobs:
            match job.WhichOneof("variant"):
                case "initialize_workflow":
                    _in_one(job.initialize_workflow.arguments)
                case "do_update":
                    _in_one(job.do_update.input)
                case "query_workflow":
                    _in_one(job.query_workflow.arguments)
                case _:
                    pass
        if refusal := self._guard.refusal(act):
            return refusal
        completion = self._instance.activate(act)
        self._guard.take_note(act, completion)
        return completion

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()


def _in_one(arguments: MutableSequence[Payload]) -> None:
    """Put one payload in place of several, which says how many there were.

    Temporal takes no notice of types where there are too many arguments: it would decode those that AOS reads itself,
    and call a workflow with what it does not take. Both would leave the workflow stuck.
    """
    if len(arguments) > 1:
        surplus = Payload(metadata={SURPLUS: str(len(arguments)).encode()})
        del arguments[:]
        arguments.append(surplus)
