"""The blob store of one machine: an SQLite database, shared by any number of its processes."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from aos.errors import BlobMissing
from aos.store import ref_of

T = TypeVar("T")

_BUSY_SECONDS = 20.0
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS blobs (ref TEXT PRIMARY KEY NOT NULL, data BLOB NOT NULL)",
    """CREATE TABLE IF NOT EXISTS links
       (key TEXT PRIMARY KEY NOT NULL, ref TEXT NOT NULL REFERENCES blobs (ref)) WITHOUT ROWID""",
)
_POINT = "INSERT INTO links (key, ref) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET ref = excluded.ref"
_creating = threading.Lock()


class _Lane:
    """One connection and the one thread that uses it."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    async def aclose(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = _connect(self._path)
        return work(self._connection)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(slots=True, eq=False)
class _Save:
    """What one `save` was given, and why it was not saved."""

    blobs: dict[str, bytes]
    links: dict[str, str]
    error: Exception | None = None


class SqliteBlobStore:
    """An `aos.store.BlobStore` in the database file `path`, made with its folder if it is missing.

    Saves that come while the disk is busy share the next transaction and its one fsync. Waits for the disk are spent
    in threads of the store's own.

    Raises:
        sqlite3.Error: The file is no database, cannot be written, or the disk is full; nothing was saved.
    """

    def __init__(self, path: Path) -> None:
        self._writer = _Lane(path, "aos-store-write")
        self._reader = _Lane(path, "aos-store-read")
        self._waiting = deque[_Save]()

    async def open(self) -> None:
        """Open the database now instead of at its first use."""
        await self._writer.run(lambda connection: None)
        await self._reader.run(lambda connection: None)

    async def save(self, blobs: Iterable[bytes], links: Mapping[str, str] | None = None) -> None:
        """Keep `blobs`, and point each key of `links` at its reference, all or nothing.

        Raises:
            BlobMissing: A link names what is neither among the blobs nor in the store.
        """
        save = _Save({ref_of(data): data for data in blobs}, dict(links or {}))
        if save.blobs or save.links:
            await self._save(save)

    async def _save(self, save: _Save) -> None:
        self._waiting.append(save)
        try:
            await self._writer.run(self._save_waiting)
        finally:
            if save in self._waiting:  # The database could not be opened.
                self._waiting.remove(save)
        if save.error is not None:
            raise save.error

    def _save_waiting(self, connection: sqlite3.Connection) -> None:
        """Save all that waits, in one transaction; an earlier call may have saved what this one was meant for."""
        saves: list[_Save] = []
        while self._waiting:
            saves.append(self._waiting.popleft())
        if saves:
            _save_all(connection, saves)

    async def load(self, ref: str) -> bytes:
        """Return the blob.

        Raises:
            BlobMissing: There is none of that reference.
        """
        found = await self._reader.run(lambda connection: _one(connection, "SELECT data FROM blobs WHERE ref = ?", ref))
        if not isinstance(found, bytes):
            raise BlobMissing(ref)
        return found

    async def follow(self, key: str) -> str | None:
        """Return the reference that the link points at, or None."""
        found = await self._reader.run(lambda connection: _one(connection, "SELECT ref FROM links WHERE key = ?", key))
        return found if isinstance(found, str) else None

    async def aclose(self) -> None:
        """Close the database, once what is under way is done."""
        await self._reader.aclose()
        await self._writer.aclose()


def _connect(path: Path) -> sqlite3.Connection:
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
        with _Transaction(connection):
            for statement in _SCHEMA:
                connection.execute(statement)
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


class _Transaction:
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


def _save_all(connection: sqlite3.Connection, saves: list[_Save]) -> None:
    try:
        with _Transaction(connection):
            for save in saves:
                try:
                    _save(connection, save)
                except BlobMissing as error:
                    save.error = error
    except Exception as error:  # noqa: BLE001 - it is raised by each `save` that shared the transaction
        for save in saves:
            save.error = error


def _save(connection: sqlite3.Connection, save: _Save) -> None:
    for ref in save.links.values():
        if ref not in save.blobs and _one(connection, "SELECT 1 FROM blobs WHERE ref = ?", ref) is None:
            raise BlobMissing(ref)
    connection.executemany("INSERT OR IGNORE INTO blobs (ref, data) VALUES (?, ?)", save.blobs.items())
    connection.executemany(_POINT, save.links.items())


def _one(connection: sqlite3.Connection, statement: str, value: str) -> object:
    row: tuple[object] | None = connection.execute(statement, (value,)).fetchone()
    return None if row is None else row[0]
