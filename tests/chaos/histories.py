"""What Temporal wrote down of an agent's whole life, looked at for what must not be in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowHistory

from aos.names import agent_workflow_id

_DONE_AGAIN = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
)


@dataclass(slots=True)
class Life:
    """All runs of an agent: how many events each had, why workflow tasks failed, and how many were done again.

    A task is done again, and has not failed, when something came before a run's end that the end would have missed.
    """

    runs: list[int] = field(default_factory=list[int])
    failures: list[str] = field(default_factory=list[str])
    done_again: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])
    histories: list[WorkflowHistory] = field(default_factory=list[WorkflowHistory])

    def save(self, folder: Path) -> None:
        """Write all runs into a folder, for somebody to look into or to replay."""
        folder.mkdir()
        for number, history in enumerate(self.histories):
            (folder / f"{number}.json").write_text(history.to_json())


async def life(temporal: Client, name: str) -> Life:
    """Return the whole life of an agent."""
    found = Life()
    handle = temporal.get_workflow_handle(agent_workflow_id(name))
    run_id = (await handle.describe()).raw_description.workflow_execution_info.first_run_id
    while run_id:
        run = temporal.get_workflow_handle(agent_workflow_id(name), run_id=run_id)
        history = await run.fetch_history()
        found.histories.append(history)
        events = history.events
        found.runs.append(len(events))
        for event in events:
            found.kinds[EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()] += 1
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                failed = event.workflow_task_failed_event_attributes
                if failed.cause in _DONE_AGAIN:
                    found.done_again += 1
                else:
                    cause = WorkflowTaskFailedCause.Name(failed.cause)
                    found.failures.append(f"{name}, run {run_id}: {cause}: {failed.failure.message}")
        run_id = events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return found
