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
