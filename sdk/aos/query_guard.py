"""A guard against queries that leave a workflow in a state that its history does not have."""

from __future__ import annotations

from collections.abc import Callable

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

ASK_AGAIN = "The state of the workflow was ahead of its history; the query may be made again"
"""What a query fails with that would have left the workflow ahead of its history."""

_DIRECT = "legacy_query"
"""What Temporal's core calls a query that comes by itself and not with a workflow task."""


class QueryGuard:
    """Keeps one workflow from being brought ahead of its history by a query.

    A query that comes by itself brings the history along as it is by then. What has happened since the last workflow
    task is in it, and Temporal's core goes on with that as a task would, and keeps the result. The task that follows
    then takes in the rest by itself; a replay takes in both together, in another order, and comes to other commands or
    other inputs: the workflow is stuck, or has lost a message. Failing the query drops what is kept.

    Events that no task has taken in are known by this: the history has become longer, and its size in bytes has not
    changed. Core knows the size from the event that says that a task has begun, and there is none.

    Where a task has begun that its worker never ended, because it was killed, that event is there, and all looks as
    after a task of this worker's own. Only the server knows; and it knows whether the run has ended, so that no task
    will follow at all.

    Args:
        settled: Whether the server has it that this worker completed the task that began with the event of that
            number, of the run of that id, or that the run has ended.
    """

    def __init__(self, settled: Callable[[str, int], bool]) -> None:
        self._settled = settled
        self._length = 0
        self._bytes = -1
        self._ahead = False
        self._unsure = False

    def refusal(self, act: WorkflowActivation) -> WorkflowActivationCompletion | None:
        """Return what a query fails with for which the workflow has run on beyond its last task, else None."""
        if not any(job.query_workflow.query_id == _DIRECT for job in act.jobs):
            return None
        if not (self._ahead or self._unsure) or self._settled(act.run_id, self._length):
            self._ahead = self._unsure = False
            return None
        completion = WorkflowActivationCompletion()
        completion.failed.failure.message = ASK_AGAIN
        completion.failed.failure.application_failure_info.SetInParent()
        return completion

    def take_note(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        """Take note of how far the workflow has come, and of what it answered there."""
        if any(job.HasField("query_workflow") for job in act.jobs):
            return
        if act.history_size_bytes != self._bytes or not act.history_size_bytes:
            self._ahead = False  # A server that does not tell the size leaves nothing to go by.
        elif act.history_length > self._length:
            self._ahead = True
        self._bytes = act.history_size_bytes
        if not _only_refused_updates(act, completion):
            self._length, self._unsure = act.history_length, not act.is_replaying


def _only_refused_updates(act: WorkflowActivation, completion: WorkflowActivationCompletion) -> bool:
    """Whether the workflow is as it was before, though a task began: the server drops such a task and its events."""
    updates = [job for job in act.jobs if job.HasField("do_update")]
    commands = completion.successful.commands
    refused = [command for command in commands if command.update_response.HasField("rejected")]
    return len(updates) == len(act.jobs) and len(refused) == len(commands) == len(updates)
