"""The histories of all runs of a workflow that continues as new."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client


@dataclass(frozen=True)
class Run:
    """One run and its whole history."""

    id: str
    events: list[HistoryEvent]

    def count(self, kind: EventType.ValueType) -> int:
        """Return how many events of a kind there are."""
        return sum(event.event_type == kind for event in self.events)


@dataclass(frozen=True)
class Written:
    """What the runs of a workflow have written up to some time."""

    events: int
    bytes: int
    late_tasks: int
    tasks_done_again: int

    def since(self, before: Written, count: int) -> dict[str, float]:
        """Return what was written since, as facts: events and bytes for each of `count` units, tasks in all."""
        return {
            "events": (self.events - before.events) / count,
            "bytes": (self.bytes - before.bytes) / count,
            "late tasks": self.late_tasks - before.late_tasks,
            "tasks done again": self.tasks_done_again - before.tasks_done_again,
        }


async def runs_of(temporal: Client, workflow_id: str) -> list[Run]:
    """Return the runs of a workflow, oldest first."""
    described = await temporal.get_workflow_handle(workflow_id).describe()
    run_id = described.raw_description.workflow_execution_info.first_run_id
    runs: list[Run] = []
    while run_id:
        history = await temporal.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        runs.append(Run(run_id, list(history.events)))
        last = history.events[-1]
        run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return runs


async def written(temporal: Client, workflow_id: str) -> Written:
    """Return what the runs of a workflow have written."""
    runs = await runs_of(temporal, workflow_id)
    return Written(
        events=sum(len(run.events) for run in runs),
        bytes=sum(event.ByteSize() for run in runs for event in run.events),
        late_tasks=sum(run.count(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT) for run in runs),
        tasks_done_again=sum(run.count(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED) for run in runs),
    )
