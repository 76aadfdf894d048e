"""Copying shared memory between stores, for `aos memory copy`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from aos.errors import SetupError
from aos_activities.memory.copying import copy_memory
from aos_workers.home import Home
from aos_workers.settings import load_settings
from aos_workers.stores import make_memory, memory_at


async def copy_between(origin: str | None, to: str, told: Callable[[int], object]) -> int:
    """Copy from a file or a database to another, and return how many transactions; `told` hears of each number.

    Args:
        origin: A path, or an address of Postgres; None: the memory of the settings.
        to: The same.
        told: Hears of the number of the last one that was copied.

    Raises:
        SetupError: One of the two is not there, or cannot be had.
        InvalidInput: What is in `to` is not the beginning of what is copied.
    """
    settings = load_settings()
    home = Home(settings.home)
    place = Path(origin) if origin else home.memory
    if "://" not in (origin or "") and not (origin is None and settings.memory_url) and not place.exists():
        raise SetupError(f"there is no memory in {place}; name the right one with --from")
    try:
        async with AsyncExitStack() as stack:
            source = memory_at(origin) if origin else make_memory(settings, home)
            stack.push_async_callback(source.aclose)
            target = memory_at(to)
            stack.push_async_callback(target.aclose)
            return await copy_memory(source, target, told)
    except sqlite3.Error as error:
        raise SetupError(f"the file cannot be used: {error}") from error
    except OSError as error:
        raise SetupError(f"the database is not reached: {error}") from error
