"""A guard against queries that leave a workflow in a state that its history does not have."""

from __future__ import annotations

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

ASK_AGAIN = "The state of the workflow was ahead of its history; the query may be made again"
"""What a query fails with that would have left the workflow ahead of its history."""

_DIRECT = "legacy_query"
"""What Temporal's core calls a query that comes by itself and not with a workflow task."""

_ENDS = frozenset(
    {
        "complete_workflow_execution",
        "fail_workflow_execution",
        "cancel_workflow_execution",
        "continue_as_new_workflow_execution",
    }
)
"""The commands that a run ends with."""


class QueryGuard:
    """Keeps one workflow from being brought ahead of its history by a query.

    A query that comes by itself brings the history along as it is by then. What has happened since the last workflow
    task is in it, and Temporal's core goes on with that as a task would, and keeps the result. The task that follows
    then takes in the rest by itself; a replay takes in both together, in another order, and comes to other commands or
    other inputs: the workflow is stuck, or has lost a message. Failing the query drops what is kept.

    Such events are known by this: the history has become longer, and its size in bytes has not changed. Core knows the
    size from the event that says that a task has begun, and there is none.

    A run that has ended is ahead of nothing: no task will follow, and what is longer is what it ended with.
    """

    def __init__(self) -> None:
        self._length = 0
        self._bytes = -1
        self._ahead = False
        self._over = False

    def note(self, completion: WorkflowActivationCompletion) -> None:
        """Take note of what a workflow has done in the activation that was not refused."""
        if not self._ahead and any(
            command.WhichOneof("variant") in _ENDS for command in completion.successful.commands
        ):
            self._over = True

    def refusal(self, act: WorkflowActivation) -> WorkflowActivationCompletion | None:
        """Return what a query fails with for which the workflow has run on beyond its last task, else None."""
        if act.history_size_bytes != self._bytes or not act.history_size_bytes:
            self._ahead = False  # A server that does not tell the size leaves nothing to go by.
        elif act.history_length > self._length:
            self._ahead = True
        self._length, self._bytes = act.history_length, act.history_size_bytes
        if self._ahead and not self._over and any(job.query_workflow.query_id == _DIRECT for job in act.jobs):
            completion = WorkflowActivationCompletion()
            completion.failed.failure.message = ASK_AGAIN
            completion.failed.failure.application_failure_info.SetInParent()
            return completion
        return None
