"""A guard against queries that leave a workflow in a state that its history does not have."""

from __future__ import annotations

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance
from temporalio.workflow import Info

ASK_AGAIN = "The state of the workflow was ahead of its history; the query may be made again"
"""What a query fails with that would have left the workflow ahead of its history."""

_DIRECT = "legacy_query"
"""What Temporal's core calls a query that comes by itself and not with a workflow task."""


class QueryGuard(WorkflowInstance):
    """A workflow that no query brings ahead of its history.

    A worker that does not hold a workflow replays it to answer a query. When more has happened by then than the last
    workflow task knew of, Temporal's core goes on with it as a task would, and keeps the result. The task that follows
    then takes in the rest by itself; a replay takes in both together, in another order, and comes to other commands or
    other inputs: the workflow is stuck, or has lost a message. Failing the query drops what is kept.

    It is not seen here whether the last activation before a query belonged to a task. So the first query is failed too
    where a task came between: once each time that a worker takes up a workflow from elsewhere.
    """

    def __init__(self, instance: WorkflowInstance) -> None:
        self._instance = instance
        self._began = False
        self._sure = False
        self._ahead_at: int | None = None

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run the workflow on; fail a query for which it may have run on beyond its last task."""
        if not self._began:
            self._began, self._sure = True, not act.is_replaying
        if any(job.query_workflow.query_id == _DIRECT for job in act.jobs):
            if not self._sure and self._ahead_at is not None:
                completion = WorkflowActivationCompletion()
                completion.failed.failure.message = ASK_AGAIN
                completion.failed.failure.application_failure_info.SetInParent()
                return completion
            self._sure = True
        elif not act.is_replaying:
            if self._ahead_at is None:
                self._ahead_at = act.history_length
            elif act.history_length > self._ahead_at:
                self._sure = True
        return self._instance.activate(act)

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        """Return what the workflow itself says."""
        return self._instance.get_serialization_context(command_info)  # pyright: ignore[reportArgumentType] - the SDK's own class

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        """Return what the workflow itself says."""
        return self._instance.get_external_store_context(command_info)  # pyright: ignore[reportArgumentType] - the SDK's own class

    def get_info(self) -> Info:
        """Return what the workflow itself says."""
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        """Return what the workflow itself says."""
        return self._instance.get_thread_id()
