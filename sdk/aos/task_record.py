"""What the server has written down of the workflow tasks of this process."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client
from temporalio.service import RPCError

_SECONDS = 1.5
"""How long is asked for: Temporal takes a workflow for stuck that is silent for two seconds."""

_PAGE = 20

_ENDS = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)
"""What a run ends with."""


class TaskRecord:
    """Asks the server. Before `listen`, and where it does not answer in time, it knows of nothing.

    Args:
        identity: What the worker calls itself.
    """

    def __init__(self, client: Client, identity: str) -> None:
        self._client = client
        self._identity = identity
        self._loop: asyncio.AbstractEventLoop | None = None

    def listen(self) -> None:
        """Have the running event loop ask from now on."""
        self._loop = asyncio.get_running_loop()

    def settled(self, workflow_id: str, run_id: str, started: int) -> bool:
        """Whether this worker completed the task that began with the event `started`, or the run has ended.

        It blocks, and must not be called in the loop.
        """
        if self._loop is None:
            return False
        asking = asyncio.run_coroutine_threadsafe(self._ask(workflow_id, run_id, started), self._loop)
        try:
            return asking.result(_SECONDS)
        except (RPCError, TimeoutError):
            asking.cancel()
            return False

    async def _ask(self, workflow_id: str, run_id: str, started: int) -> bool:
        """Look at the newest events, page by page from the end, until that after `started`."""
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=_PAGE,
        )
        while True:
            page = await self._client.workflow_service.get_workflow_execution_history_reverse(
                request, timeout=timedelta(seconds=_SECONDS), retry=True
            )
            for event in page.history.events:
                if event.event_type in _ENDS:
                    return True
                if event.event_id <= started + 1:
                    return event.event_id == started + 1 and self._is_own(event)
            if not page.next_page_token:
                return False
            request.next_page_token = page.next_page_token

    def _is_own(self, event: HistoryEvent) -> bool:
        return (
            event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
            and event.workflow_task_completed_event_attributes.identity == self._identity
        )
