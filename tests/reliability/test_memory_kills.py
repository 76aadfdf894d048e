"""Memory keeps what it has said that it keeps, whole, whatever happens to those who write."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import sys
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from aos.memory import Filter, MemoryStore, Search
from aos_activities.memory.postgres import PostgresMemory
from aos_activities.memory.sqlite import SqliteMemory
from engine.postgres import fresh_database

KILLS, LONG_KILLS = 10, 200
WRITERS, ADDS, LONG_WRITERS, LONG_ADDS = 4, 50, 16, 1_000

_LATEST = 0.15
"""Most seconds that a writer lives."""

_OPENED = """
import asyncio, sys
from pathlib import Path
from aos.errors import MemoryConflict
from aos.memory import Transaction, Write

def opened(place):
    if place.startswith("postgres"):
        from aos_activities.memory.postgres import PostgresMemory
        return PostgresMemory(place)
    from aos_activities.memory.sqlite import SqliteMemory
    return SqliteMemory(Path(place))
"""

_WRITER = (
    _OPENED
    + """

async def write(place, who):
    memory = opened(place)
    for number in range(1_000_000):
        writes = [Write(scope="org", key=f"{who}/{name}", text=f"by {who} {number}", data=number) for name in "abc"]
        await memory.commit(Transaction(id=f"{who}-{number}", by="ada", writes=writes))
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()

asyncio.run(write(sys.argv[1], sys.argv[2]))
"""
)

_ADDER = (
    _OPENED
    + """
async def add(place, who, adds):
    memory = opened(place)
    for number in range(adds):
        while True:
            found = await memory.get("org", "count")
            version, counted = (found.version, found.data) if found else (0, 0)
            write = Write(scope="org", key="count", data=counted + 1, expected=version)
            try:
                await memory.commit(Transaction(id=f"{who}-{number}-{version}", by=who, writes=[write]))
                break
            except MemoryConflict:
                continue
    await memory.aclose()

asyncio.run(add(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""
)

_log = logging.getLogger(__name__)


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a memory: a path of a file, or the address of a database."""
    if request.param == "sqlite":
        return str(tmp_path / "memory.db")
    return await fresh_database(request.getfixturevalue("postgres"))


def opened(place: str) -> MemoryStore:
    return PostgresMemory(place) if place.startswith("postgres") else SqliteMemory(Path(place))


@pytest.mark.timeout(1800)
async def test_a_writer_killed_at_any_moment_leaves_whole_transactions_and_all_it_was_told_of(
    place: str, seed: int, long_form: bool
) -> None:
    chance, told, memory = Random(seed), dict[str, int](), opened(place)
    for number in range(LONG_KILLS if long_form else KILLS):
        who = f"writer-{number}"
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _WRITER, place, who), stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout
        said = [await writer.stdout.readline()]
        await asyncio.sleep(chance.random() * _LATEST)
        writer.kill()
        said += (await writer.stdout.read()).splitlines(keepends=True)
        await writer.wait()
        told[who] = max(int(line) for line in said if line.endswith(b"\n"))
        records = await memory.page(Filter(prefix=f"{who}/"))
        newest = {(record.version, record.data, record.text) for record in records}
        assert len(records) == 3 and len(newest) == 1, f"seed {seed}: {who} left half of a transaction: {newest}"
        ((version, data, _),) = newest
        assert version == int(str(data)) + 1
        assert told[who] <= int(str(data)) <= told[who] + 1, f"seed {seed}: {who} was told of {told[who]}"
        assert len(await memory.search(Search(text=who, limit=10))) >= 3
    entries, after = 0, 0
    while page := await memory.log(after):
        assert [entry.number for entry in page] == [*range(after + 1, after + 1 + len(page))]
        assert all(len(entry.changed) == 3 for entry in page)
        entries, after = entries + len(page), page[-1].number
    assert entries >= sum(told.values()) + len(told)
    await memory.aclose()
    if not place.startswith("postgres"):
        with sqlite3.connect(place) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    _log.info("%d transactions by %d writers that were killed", entries, len(told))


@pytest.mark.timeout(1800)
async def test_processes_that_add_to_one_record_lose_no_addition(place: str, long_form: bool) -> None:
    writers, adds = (LONG_WRITERS, LONG_ADDS) if long_form else (WRITERS, ADDS)
    adders = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _ADDER, place, f"adder-{number}", str(adds))
        for number in range(writers)
    ]
    assert {await adder.wait() for adder in adders} == {0}
    memory = opened(place)
    found = await memory.get("org", "count")
    assert found is not None
    assert (found.data, found.version) == (writers * adds, writers * adds)
    await memory.aclose()
