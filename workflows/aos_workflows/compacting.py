"""The shortening of a long conversation, beside the turns: none of them waits for it as long as there is room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ActivityHandle

from aos_activities.compaction import Compacted, CompactionActivities, CompactRequest, ReplantRequest
from aos_workflows.options import STORE, model_options
from aos_workflows.state import AgentState, Shortened

EARLY = 0.8
"""The share of the conversation's room from which on it is shortened, so that it is shorter before the room ends."""


class Compacting:
    """Shortens the conversation in the state."""

    def __init__(self, state: AgentState) -> None:
        self._state = state
        self._activity: ActivityHandle[Compacted] | None = None
        self._task: asyncio.Task[ActivityError | None] | None = None

    def consider(self) -> None:
        """Begin to shorten the conversation, where it is long and that is not under way."""
        state = self._state
        under_way = self._task is not None and not self._task.done()
        if not under_way and not state.shortened and state.context_tokens > EARLY * state.spec.context_tokens:
            self._activity = workflow.start_activity_method(
                CompactionActivities.compact,
                CompactRequest(agent=state.spec.name, program=state.program, head=state.head),
                summary="summarise the older part of the conversation",
                **model_options(state.spec.patience),
            )
            self._task = asyncio.create_task(self._hear(self._activity, state.head))

    async def settle(self, cut: Callable[[], bool]) -> bool:
        """Go on with the shorter conversation, where there is one. It is waited for only where there is no room left.

        Returns:
            Whether the conversation can be gone on with. It cannot where `cut` said so before there was room.

        Raises:
            ActivityError: There is no room, and the conversation could not be shortened.
        """
        self.consider()
        if (task := self._task) and self._state.context_tokens > self._state.spec.context_tokens:
            workflow.set_current_details("Summarising the older part of the conversation")
            await workflow.wait_condition(lambda: task.done() or cut())
            if not task.done():
                return False
            if error := task.result():
                raise error
        if short := self._state.shortened:
            await self._take_over(short)
        return True

    async def put_down(self) -> None:
        """End what is under way, as the run ends. What it has come to by this workflow task is used, and paid for."""
        if self._activity and (task := self._task) and not task.done():
            self._activity.cancel()
            await workflow.wait_condition(task.done)

    async def _hear(self, activity: ActivityHandle[Compacted], base: str) -> ActivityError | None:
        state = self._state
        try:
            compacted = await activity
        except ActivityError as error:
            if not is_cancelled_exception(error):
                workflow.logger.warning("not_compacted", extra={"agent": state.spec.name, "reason": str(error.cause)})
            return error
        state.charge(compacted.model, compacted.usage)
        if compacted.head != base:
            state.shortened = Shortened(base=base, head=compacted.head, tokens=compacted.context_tokens)
        return None

    async def _take_over(self, short: Shortened) -> None:
        state = self._state
        state.shortened = None
        if state.head == short.base:
            state.head, state.context_tokens = short.head, short.tokens
            return
        planted = await workflow.execute_activity_method(
            CompactionActivities.replant,
            ReplantRequest(base=short.base, shortened=short.head, head=state.head),
            summary="put what was said meanwhile after the summary",
            **STORE,
        )
        state.head, state.context_tokens = planted.head, planted.context_tokens
