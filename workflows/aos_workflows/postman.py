"""Telling other workflows what is in an outbox."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from aos_workflows.outbox import Outbox, Outgoing

AT_ONCE = 500
"""Signals on their way at a time: a server takes 2,000 of one workflow."""


class Postman:
    """Sends what is in an outbox. `undelivered` is told of what nobody is there for, and why."""

    def __init__(self, outbox: Outbox, undelivered: Callable[[Outgoing, str], None]) -> None:
        self._outbox = outbox
        self._undelivered = undelivered
        self._queue: deque[str] = deque()
        self._known: set[str] = set()
        """Recipients that are in the queue or being served."""
        self._rounds = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is on its way."""
        return not self._outbox.waiting

    def go(self) -> None:
        """Begin to send what waits; return at once. Call it after each `put`, and once at the begin of a run."""
        for to in self._outbox.waiting:
            if to not in self._known:
                self._known.add(to)
                self._queue.append(to)
        self._begin()

    async def until_idle(self) -> None:
        """Return when everything is sent."""
        await workflow.wait_condition(lambda: self.idle)

    def _begin(self) -> None:
        while self._queue and self._rounds < AT_ONCE:
            self._rounds += 1
            asyncio.create_task(self._round(self._queue.popleft()))  # noqa: RUF006 - the workflow's loop keeps it

    async def _round(self, to: str) -> None:
        """Send one recipient's signals one after the other: side by side, the server would not keep their order."""
        letters = self._outbox.waiting[to]
        while letters:
            try:
                await workflow.get_external_workflow_handle(to).signal(letters[0].signal, letters[0].body)
            except FailureError as error:
                if is_cancelled_exception(error):
                    raise
                self._undelivered(letters[0], str(error))
            del letters[0]
        del self._outbox.waiting[to]
        self._known.discard(to)
        self._rounds -= 1
        self._begin()
