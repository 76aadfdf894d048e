"""SQLite as AOS uses it: one file for any number of processes, where what was written is durable."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, cast

J = TypeVar("J")
T = TypeVar("T")

Prepare = Callable[[sqlite3.Connection], None]
"""Makes the tables of a database that has none; it runs in a transaction, at each opening."""

_BUSY_SECONDS = 20.0
_creating = threading.Lock()


class Lane:
    """One connection to the database `path`, and the one thread that uses it. Made with its folder if it is missing."""

    def __init__(self, path: Path, name: str, prepare: Prepare) -> None:
        self._path = path
        self._prepare = prepare
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` returns, in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    async def aclose(self) -> None:
        """Close the connection, once what is under way is done."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = _connect(self._path, self._prepare)
        return work(self._connection)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(path: Path, prepare: Prepare) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Conversations are private; SQLite gives its other files the mode of this one. One thread at a time, because
    # closing a file drops the locks that SQLite holds on it elsewhere in the process.
    with _creating:
        path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        with Transaction(connection):
            prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for its busy time-out when two processes switch a new database to WAL at once.
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


class Transaction:
    """A write transaction that holds the lock from its start, so that it never fails half-way for want of it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if error is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


@dataclass(slots=True, eq=False)
class _Job(Generic[J, T]):
    """What one write was given, and what came of it."""

    given: J
    done: T | None = None
    error: Exception | None = None


class SharedWrites(Generic[J, T]):
    """Writes that come while the disk is busy share the next transaction and its one fsync.

    Args:
        lane: Where they are made.
        write: Makes one of them, or refuses it before it has changed anything.
        refusals: What it refuses with; any other error ends the transaction, and all who share it are told.
    """

    def __init__(
        self,
        lane: Lane,
        write: Callable[[sqlite3.Connection, J], T],
        refusals: type[Exception] | tuple[type[Exception], ...],
    ) -> None:
        self._lane = lane
        self._write = write
        self._refusals = refusals
        self._waiting = deque[_Job[J, T]]()

    async def add(self, given: J) -> T:
        """Return what a write comes to, once it is durable."""
        job = _Job[J, T](given)
        self._waiting.append(job)
        try:
            await self._lane.run(self._write_waiting)
        finally:
            if job in self._waiting:  # The database could not be opened.
                self._waiting.remove(job)
        if job.error is not None:
            raise job.error
        return cast("T", job.done)

    def _write_waiting(self, connection: sqlite3.Connection) -> None:
        """Write all that waits, in one transaction; an earlier call may have written what this one was meant for."""
        jobs: list[_Job[J, T]] = []
        while self._waiting:
            jobs.append(self._waiting.popleft())
        if not jobs:
            return
        try:
            with Transaction(connection):
                for job in jobs:
                    try:
                        job.done = self._write(connection, job.given)
                    except self._refusals as error:
                        job.error = error
        except Exception as error:  # noqa: BLE001 - it is raised by each write that shared the transaction
            for job in jobs:
                job.error = error
