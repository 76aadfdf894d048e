"""Measuring a server: its settings cannot be read through Temporal's API, but what they do can be seen in a history."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from aos_activities.probe import probe_step
from aos_workers.deployment import build_of
from aos_workflows.probe import Probe

_STEPS, _SECONDS = 100, 1.8
"""What is enough to use up the burst that a server grants before it holds tasks back to its rate."""

_TIMER = 0.05
_WRITES = 8
_LONGEST = timedelta(seconds=20)
_EAGER_MS = 1.0
_TAIL = 3


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a server did. Times are in milliseconds.

    Of the last third of the steps: `wait` is how long the tasks of one step waited for a worker that was idle, and
    `rate` is how many tasks a second came to it through the server's queue. `tasks` is how many each step had: one
    where an activity starts in the transaction that schedules it, else two. `late` is how much too late a short timer
    went off. `write` is the fastest of some writes.
    """

    wait: float
    rate: float
    tasks: int
    late: float
    write: float

    def better(self, other: Measured) -> Measured:
        """Return the better of two measurements, figure by figure."""
        return Measured(
            wait=min(self.wait, other.wait),
            rate=max(self.rate, other.rate),
            tasks=min(self.tasks, other.tasks),
            late=min(self.late, other.late),
            write=min(self.write, other.write),
        )


async def measure(client: Client) -> Measured:
    """Run a workflow on a task queue and a worker of its own for two to three seconds, and delete it.

    Raises:
        RPCError: The server refuses.
        TimeoutError: It is too slow to be measured.
    """
    name = f"aos/probe/{uuid4()}"
    handle = await client.start_workflow(Probe.run, id=name, task_queue=name, execution_timeout=_LONGEST)
    try:
        async with asyncio.timeout(_LONGEST.total_seconds()):
            write = min([await _write(handle) for _ in range(_WRITES)])
            async with Worker(
                client,
                task_queue=name,
                workflows=[Probe],
                activities=[probe_step],
                build_id=build_of(),  # as in `app_worker`
                workflow_runner=UnsandboxedWorkflowRunner(),
            ):
                taken = handle.execute_update(Probe.step, args=[_STEPS, _SECONDS, _TIMER])  # pyright: ignore[reportUnknownMemberType] - the SDK's
                await taken
        return _read([event async for event in handle.fetch_history_events()], write)
    finally:
        await _delete(client, name)


async def _write(handle: WorkflowHandle[Any, Any]) -> float:
    """Return how long the server took for a signal that nobody handles: one transaction."""
    began = time.perf_counter()
    await handle.signal("write")
    return (time.perf_counter() - began) * 1000


async def _delete(client: Client, name: str) -> None:
    request = DeleteWorkflowExecutionRequest(
        namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=name)
    )
    # Where it may not be deleted, it ends by its time-out and goes with the namespace's retention.
    with contextlib.suppress(RPCError):
        await client.workflow_service.delete_workflow_execution(request, retry=True)


def _read(events: Sequence[HistoryEvent], write: float) -> Measured:
    at = {event.event_id: event.event_time.ToNanoseconds() / 1e6 for event in events}
    begun: list[tuple[int, float]] = []
    activities: list[float] = []
    late = 0.0
    for event in events:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
                scheduled = event.workflow_task_started_event_attributes.scheduled_event_id
                begun.append((event.event_id, at[event.event_id] - at[scheduled]))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                scheduled = event.activity_task_started_event_attributes.scheduled_event_id
                activities.append(at[event.event_id] - at[scheduled])
            case EventType.EVENT_TYPE_TIMER_FIRED:
                started = event.timer_fired_event_attributes.started_event_id
                late = at[event.event_id] - at[started] - _TIMER * 1000
            case _:
                pass
    tasks = 1 if median(activities) < _EAGER_MS else 2
    last = max(len(activities) // _TAIL, 2)
    (first, _), (final, _) = begun[-last], begun[-1]
    seconds = (at[final] - at[first]) / 1000
    wait = median(waited for _, waited in begun[-last:]) + (median(activities[-last:]) if tasks == 2 else 0.0)
    return Measured(wait=wait, rate=tasks * (last - 1) / seconds, tasks=tasks, late=late, write=write)
