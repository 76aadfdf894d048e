"""A guard against queries that leave a workflow in a state that its history does not have."""

from __future__ import annotations

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

ASK_AGAIN = "The state of the workflow was ahead of its history; the query may be made again"
"""What a query fails with that would have left the workflow ahead of its history."""

_DIRECT = "legacy_query"
"""What Temporal's core calls a query that comes by itself and not with a workflow task."""


class QueryGuard:
    """Keeps one workflow from being brought ahead of its history by a query.

    A worker that does not hold a workflow replays it to answer a query. When more has happened by then than the last
    workflow task knew of, Temporal's core goes on with it as a task would, and keeps the result. The task that follows
    then takes in the rest by itself; a replay takes in both together, in another order, and comes to other commands or
    other inputs: the workflow is stuck, or has lost a message. Failing the query drops what is kept.

    It is not seen here whether the last activation before a query belonged to a task. So the first query is failed too
    where a task came between: once each time that a worker takes up a workflow from elsewhere. That may be one that it
    still holds from a time before others went on with it: what they did is replayed then, and nothing is sure again.
    """

    def __init__(self) -> None:
        self._began = False
        self._sure = False
        self._ahead_at: int | None = None

    def refusal(self, act: WorkflowActivation) -> WorkflowActivationCompletion | None:
        """Return what a query fails with for which the workflow may have run on beyond its last task, else None."""
        if not self._began:
            self._began, self._sure = True, not act.is_replaying
        if any(job.query_workflow.query_id == _DIRECT for job in act.jobs):
            if not self._sure and self._ahead_at is not None:
                completion = WorkflowActivationCompletion()
                completion.failed.failure.message = ASK_AGAIN
                completion.failed.failure.application_failure_info.SetInParent()
                return completion
            self._sure = True
        elif act.is_replaying:
            self._sure, self._ahead_at = False, None
        elif self._ahead_at is None:
            self._ahead_at = act.history_length
        elif act.history_length > self._ahead_at:
            self._sure = True
        return None
