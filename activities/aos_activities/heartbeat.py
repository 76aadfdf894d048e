"""Heartbeats in the background of an activity: a dead worker is noticed, a cancellation arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from temporalio import activity

_BEATS_PER_TIMEOUT = 3


@asynccontextmanager
async def beating(details: Callable[[], object] | None = None) -> AsyncGenerator[None]:
    """Send heartbeats, with `details()` in each, until the block ends.

    An activity that was scheduled without a heartbeat time-out sends none.
    """
    timeout = activity.info().heartbeat_timeout
    if not timeout:
        yield
        return

    async def beat() -> None:
        while True:
            await asyncio.sleep(timeout.total_seconds() / _BEATS_PER_TIMEOUT)
            activity.heartbeat(*([details()] if details else []))

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
