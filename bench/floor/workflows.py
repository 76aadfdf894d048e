"""Bare workflows that do what an agent does, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from bench.measure import REPLY

TASK_QUEUE = "floor"

ROLLOVER_EVENTS = 3_300
"""History events after which `Bare` continues as new: 300 turns. Temporal ends a run at 2,000 updates."""

_TIMEOUT = timedelta(seconds=60)


@activity.defn
async def answer(text: str) -> str:
    """Answer at once, as an instant model would."""
    return REPLY


@activity.defn
async def take(texts: list[str]) -> int:
    """Take a batch."""
    return len(texts)


@workflow.defn
class Bare:
    """Answers each `ask` with what one activity returns."""

    @workflow.run
    async def run(self) -> None:
        """Live on, run after run."""
        await workflow.wait_condition(lambda: workflow.info().get_current_history_length() >= ROLLOVER_EVENTS)
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new()

    @workflow.update
    async def ask(self, text: str) -> str:
        """Return the answer to a text."""
        return await workflow.execute_activity(answer, text, start_to_close_timeout=_TIMEOUT)


@workflow.defn
class Drain:
    """Gives all texts that wait to one activity, once per workflow task."""

    @workflow.init
    def __init__(self, handled: int = 0, waiting: list[str] | None = None) -> None:
        self._handled = handled
        self._waiting: list[str] = waiting or []

    @workflow.run
    async def run(self, handled: int = 0, waiting: list[str] | None = None) -> None:
        """Live on, run after run."""
        while workflow.info().get_current_history_length() < ROLLOVER_EVENTS:
            await workflow.wait_condition(lambda: bool(self._waiting))
            batch, self._waiting = self._waiting, []
            self._handled += await workflow.execute_activity(take, batch, start_to_close_timeout=_TIMEOUT)
        workflow.continue_as_new(args=[self._handled, self._waiting])

    @workflow.signal
    def send(self, text: str) -> None:
        """Take a text in."""
        self._waiting.append(text)

    @workflow.query
    def handled(self) -> int:
        """Return how many texts were handled."""
        return self._handled
