"""One Temporal timer for all deadlines of a team, set again only when it went off or something is due sooner."""

from __future__ import annotations

import asyncio

from temporalio import workflow


class LazyAlarm:
    """Rings at the latest when the first thing is due.

    Deadlines move on with every turn, so it is not moved along: it rings, is looked at, and is set for what is next.
    """

    def __init__(self) -> None:
        self._due: float | None = None
        self._ringing: asyncio.Task[None] | None = None

    def at_most(self, due: float | None) -> None:
        """Ring at `due`, in seconds since 1970, or sooner."""
        if due is None or (self._due is not None and self._due <= due):
            return
        if self._ringing:
            self._ringing.cancel()
        self._due = due
        self._ringing = asyncio.create_task(_sleep_until(due))

    def rings(self) -> bool:
        """Whether the time has come."""
        return self._ringing is not None and self._ringing.done()

    def take(self) -> float:
        """Return the time, which is not before what was due; the alarm is not set any more."""
        now = max(workflow.time(), self._due or 0.0)
        self._due = self._ringing = None
        return now


async def _sleep_until(due: float) -> None:
    await workflow.sleep(max(0.0, due - workflow.time()), summary="until somebody is waited for too long")
