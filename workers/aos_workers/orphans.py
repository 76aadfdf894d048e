"""Processes that an `aos up` left behind when it was killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress

from aos_workers.lock import FileLock

_GRACE_SECONDS = 10.0
_LOOK_SECONDS = 0.05


async def end_orphan(lock: FileLock, what: str, report: Callable[[str], None]) -> None:
    """End the process that holds `lock`, if one does, and return when it is gone.

    Only call it while holding the home: then nobody else's process can be the holder.
    """
    if lock.acquire():
        lock.close()
        return
    report(f"ending {what} ({lock.holder()}), which an earlier `aos up` left behind")
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ValueError, ProcessLookupError):
            os.kill(int(lock.path.read_text()), number)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                while not lock.acquire():
                    await asyncio.sleep(_LOOK_SECONDS)
            lock.close()
            return
