"""Memory keeps what it has said that it keeps, whole, whatever happens to those who write."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import sys
from pathlib import Path
from random import Random

import pytest

from aos.memory import Search
from aos_activities.memory.sqlite import SqliteMemory

KILLS, LONG_KILLS = 10, 200
WRITERS, ADDS, LONG_WRITERS, LONG_ADDS = 4, 50, 16, 1_000

_LATEST = 0.15
"""Most seconds that a writer lives."""

_WRITER = """
import asyncio, sys
from pathlib import Path
from aos.memory import Transaction, Write
from aos_activities.memory.sqlite import SqliteMemory

async def write(path, who):
    memory = SqliteMemory(path)
    for number in range(1_000_000):
        writes = [Write(scope="org", key=f"{who}/{name}", text=f"by {who} {number}", data=number) for name in "abc"]
        await memory.commit(Transaction(id=f"{who}-{number}", by="ada", writes=writes))
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()

asyncio.run(write(Path(sys.argv[1]), sys.argv[2]))
"""

_ADDER = """
import asyncio, sys
from pathlib import Path
from aos.errors import MemoryConflict
from aos.memory import Transaction, Write
from aos_activities.memory.sqlite import SqliteMemory

async def add(path, who, adds):
    memory = SqliteMemory(path)
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

asyncio.run(add(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""

_log = logging.getLogger(__name__)


@pytest.mark.timeout(1800)
async def test_a_writer_killed_at_any_moment_leaves_whole_transactions_and_all_it_was_told_of(
    tmp_path: Path, seed: int, long_form: bool
) -> None:
    path, chance, told = tmp_path / "memory.db", Random(seed), dict[str, int]()
    memory = SqliteMemory(path)
    for number in range(LONG_KILLS if long_form else KILLS):
        who = f"writer-{number}"
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _WRITER, str(path), who), stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout
        said = [await writer.stdout.readline()]
        await asyncio.sleep(chance.random() * _LATEST)
        writer.kill()
        said += (await writer.stdout.read()).splitlines(keepends=True)
        await writer.wait()
        told[who] = max(int(line) for line in said if line.endswith(b"\n"))
        versions = [await memory.versions("org", f"{who}/{name}", limit=1) for name in "abc"]
        newest = {(record.version, record.data, record.text) for (record,) in versions}
        assert len(newest) == 1, f"seed {seed}: {who} left half of a transaction: {newest}"
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
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    _log.info("%d transactions by %d writers that were killed", entries, len(told))


@pytest.mark.timeout(1800)
async def test_processes_that_add_to_one_record_lose_no_addition(tmp_path: Path, long_form: bool) -> None:
    writers, adds = (LONG_WRITERS, LONG_ADDS) if long_form else (WRITERS, ADDS)
    path = tmp_path / "memory.db"
    adders = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _ADDER, str(path), f"adder-{number}", str(adds))
        for number in range(writers)
    ]
    assert {await adder.wait() for adder in adders} == {0}
    memory = SqliteMemory(path)
    found = await memory.get("org", "count")
    assert found is not None
    assert (found.data, found.version) == (writers * adds, writers * adds)
    await memory.aclose()
