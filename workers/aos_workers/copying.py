"""Copying shared memory between stores, for `aos memory copy`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from aos.errors import SetupError
from aos.memory import MemoryStore
from aos_activities.memory.copying import copy_memory
from aos_workers.home import Home
from aos_workers.settings import Settings, load_settings
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
    try:
        async with AsyncExitStack() as stack:
            source = _source(origin, load_settings())
            stack.push_async_callback(source.aclose)
            target = memory_at(to)
            stack.push_async_callback(target.aclose)
            return await copy_memory(source, target, told)
    except sqlite3.Error as error:
        raise SetupError(f"the file cannot be used: {error}") from error
    except OSError as error:
        raise SetupError(f"the database is not reached: {error}") from error


def _source(origin: str | None, settings: Settings) -> MemoryStore:
    home = Home(settings.home)
    if origin is None and settings.memory_url:
        return make_memory(settings, home)
    place = origin or str(home.memory)
    # Opening it would make an empty one.
    if "://" not in place and not Path(place).exists():
        raise SetupError(f"there is no memory in {place}; name the right one with --from")
    return memory_at(place)
