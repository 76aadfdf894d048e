from __future__ import annotations

import asyncio
import signal
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from aos.store import ref_of
from aos_activities.blobs.sqlite import SqliteBlobStore

WRITER = """
import asyncio, sys
from pathlib import Path
from aos.store import ref_of
from aos_activities.blobs.sqlite import SqliteBlobStore

async def write(path, who, count):
    store = SqliteBlobStore(path)
    for number in range(count):
        data = f"{who} {number}".encode()
        await store.save([data], {data.decode(): ref_of(data)})
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
    await store.aclose()

asyncio.run(write(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteBlobStore]:
    opened = SqliteBlobStore(tmp_path / "new" / "blobs.db")
    await opened.open()
    yield opened
    await opened.aclose()


async def start_writer(path: Path, who: str, count: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(path), who, str(count)), stdout=asyncio.subprocess.PIPE
    )


async def test_saving_the_same_again_changes_nothing(store: SqliteBlobStore, tmp_path: Path) -> None:
    await store.save([b"one"], {"head": ref_of(b"one")})
    await store.save([b"one", b"one"], {"head": ref_of(b"one")})
    with sqlite3.connect(tmp_path / "new" / "blobs.db") as connection:
        assert connection.execute("SELECT count(*) FROM blobs").fetchone() == (1,)
    connection.close()


async def test_a_store_opened_again_holds_what_the_one_before_was_given(tmp_path: Path) -> None:
    first = SqliteBlobStore(tmp_path / "blobs.db")
    await first.save([b"one"], {"head": ref_of(b"one")})
    await first.aclose()
    second = SqliteBlobStore(tmp_path / "blobs.db")
    assert await second.load(await second.follow("head") or "") == b"one"
    await second.aclose()


async def test_a_save_of_several_blobs_is_one_commit(store: SqliteBlobStore, tmp_path: Path) -> None:
    await store.save([b"first"])
    wal = tmp_path / "new" / "blobs.db-wal"
    before = wal.stat().st_size
    await store.save([str(number).encode() * 20 for number in range(10)], {"head": ref_of(b"first")})
    pages = (wal.stat().st_size - before) // (4096 + 24)
    assert 1 <= pages <= 4, "ten commits would have written every page ten times"


async def test_the_files_are_for_their_owner_alone(store: SqliteBlobStore, tmp_path: Path) -> None:
    await store.save([b"private"])
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()}
    assert modes == {0o600}


async def test_the_event_loop_runs_on_while_another_holds_the_lock(store: SqliteBlobStore, tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "new" / "blobs.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    saving = asyncio.create_task(store.save([b"waits"]))
    assert await store.follow("nothing") is None, "reads go on meanwhile"
    assert not saving.done()
    holder.execute("COMMIT")
    holder.close()
    await saving
    assert await store.load(ref_of(b"waits")) == b"waits"


async def test_two_processes_write_a_new_database_at_once(tmp_path: Path) -> None:
    path = tmp_path / "blobs.db"
    writers = [await start_writer(path, who, 50) for who in ("a", "b")]
    for writer in writers:
        await writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0]
    store = SqliteBlobStore(path)
    for who in ("a", "b"):
        for number in range(50):
            ref = await store.follow(f"{who} {number}")
            assert ref
            assert await store.load(ref) == f"{who} {number}".encode()
    await store.aclose()


async def test_what_save_returned_from_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "blobs.db"
    writer = await start_writer(path, "a", 1_000_000)
    assert writer.stdout
    for number in range(25):
        assert int(await writer.stdout.readline()) == number
    writer.send_signal(signal.SIGKILL)
    rest, _ = await writer.communicate()
    last = int(rest.split(b"\n")[-2]) if rest.count(b"\n") else 24
    store = SqliteBlobStore(path)
    for number in range(last + 1):
        ref = await store.follow(f"a {number}")
        assert ref, f"save {number} had returned"
        assert await store.load(ref) == f"a {number}".encode()
    await store.aclose()
