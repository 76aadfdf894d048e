"""Memory in one SQLite file, for one machine."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aos.errors import InvalidInput, MemoryConflict
from aos.memory import FOUND, Committed, Embedded, Filter, Found, LogEntry, Logged, Record, Search, Transaction
from aos_activities.memory.embedded import numbers_of
from aos_activities.memory.rows import (
    CURRENT,
    PLACED,
    RECORDS,
    depth_of,
    found_of,
    fused,
    log_entry,
    logged_of,
    micros,
    record_of,
    with_changes,
)
from aos_activities.memory.sqlite_filter import Narrowed, conditions_of
from aos_activities.memory.sqlite_schema import migrate
from aos_activities.memory.sqlite_words import with_words
from aos_activities.memory.sqlite_writing import commit_in, last_in, restore_in
from aos_activities.sqlite import Lane, SharedWrites
from aos_activities.sqlite import Transaction as InOneTransaction

if TYPE_CHECKING:
    from aos_activities.memory.sqlite_meaning import SqliteMeaning


class SqliteMemory:
    """An `aos.memory.MemoryStore` in the database file `path`, made with its folder if it is missing.

    Commits that come while the disk is busy share the next transaction and its one fsync.

    Raises:
        sqlite3.Error: The file is no database, cannot be written, or the disk is full; nothing was written.
    """

    def __init__(self, path: Path) -> None:
        self._writer = Lane(path, "aos-memory-write", migrate)
        self._reader = Lane(path, "aos-memory-read", migrate)
        self._commits = SharedWrites(self._writer, commit_in, (InvalidInput, MemoryConflict))
        self._meaning: SqliteMeaning | None = None

    async def open(self) -> None:
        """Open the database now instead of at its first use."""
        await self._writer.run(lambda connection: None)
        await self._reader.run(lambda connection: None)

    async def commit(self, transaction: Transaction, embedded: Embedded | None = None) -> Committed:
        """Write all of a transaction, or nothing.

        Raises:
            InvalidInput: The id was used for another transaction, or the vectors do not fit those that are there.
            MemoryConflict: A record is not at the version that was expected.
        """
        return await self._commits.add((transaction, embedded))

    async def get(self, scope: str, key: str, as_of: datetime | None = None) -> Record | None:
        """Return a record as it is, or as it was at a time; None where there is or was none."""
        before = "" if as_of is None else "AND t.at <= ?"
        query = f"{RECORDS} WHERE p.scope = ? AND p.key = ? {before} ORDER BY v.version DESC LIMIT 1"
        found = await self._records(query, scope, key, *([] if as_of is None else [micros(as_of)]))
        return None if not found or found[0].forgotten else found[0]

    async def versions(
        self, scope: str, key: str, limit: int = FOUND, *, before: int | None = None
    ) -> Sequence[Record]:
        """Return the versions of a record, the newest first; with `before`, those before that version."""
        older, values = ("", []) if before is None else ("AND v.version < ?", [before])
        query = f"{RECORDS} WHERE p.scope = ? AND p.key = ? {older} ORDER BY v.version DESC LIMIT ?"
        return await self._records(query, scope, key, *values, limit)

    async def page(self, wanted: Filter, after: tuple[str, str] | None = None, limit: int = FOUND) -> Sequence[Record]:
        """Return the records that are wanted, by scope and key, after a scope and key."""
        conditions, values = conditions_of(wanted)
        if after is not None:
            conditions.append("(p.scope, p.key) > (?, ?)")
            values += after
        query = f"{RECORDS} WHERE {' AND '.join(conditions)} ORDER BY p.scope, p.key LIMIT ?"
        return await self._records(query, *values, limit)

    async def search(self, wanted: Search, embedded: Embedded | None = None) -> Sequence[Found]:
        """Return what has the words that are looked for, or is near in meaning, best first.

        Raises:
            InvalidInput: The vector does not fit those that are there.
        """
        return await self._reader.run(lambda connection: self._search(connection, wanted, embedded))

    def _search(self, connection: sqlite3.Connection, wanted: Search, embedded: Embedded | None) -> list[Found]:
        narrowed, depth = Narrowed(connection, wanted), depth_of(wanted.limit)
        words = with_words(connection, wanted.text, narrowed, depth)
        near = self._near(connection, embedded, narrowed, depth) if embedded else []
        ranks = fused(words, near, wanted.limit)
        query = f"{PLACED} WHERE {CURRENT} AND p.place IN (SELECT value FROM json_each(?))"
        records = {row[0]: record_of(row[1:]) for row in connection.execute(query, (json.dumps([*ranks]),))}
        return found_of(ranks, records)

    def _near(self, connection: sqlite3.Connection, embedded: Embedded, narrowed: Narrowed, count: int) -> list[int]:
        if self._meaning is None:
            # Nobody else needs numpy.
            from aos_activities.memory.sqlite_meaning import SqliteMeaning

            self._meaning = SqliteMeaning()
        return self._meaning.nearest(connection, embedded, narrowed, count)

    async def log(self, after: int = 0, limit: int = FOUND) -> Sequence[LogEntry]:
        """Return the transactions after a number, in their order."""
        return await self._reader.run(lambda connection: _log(connection, after, limit))

    async def last(self) -> int:
        """Return the number of the last transaction, 0 where there is none."""
        return await self._reader.run(lambda connection: last_in(connection)[0])

    async def dump(self, after: int = 0, limit: int = FOUND) -> Sequence[Logged]:
        """Return the transactions after a number, with all that they wrote."""
        return await self._reader.run(lambda connection: _dump(connection, after, limit))

    async def restore(self, transactions: Sequence[Logged]) -> None:
        """Take over transactions of another store as they are, all or none: the next in its log, without a gap.

        Raises:
            InvalidInput: They are not the next.
        """

        def restore(connection: sqlite3.Connection) -> None:
            with InOneTransaction(connection):
                restore_in(connection, transactions)

        await self._writer.run(restore)

    async def _records(self, query: str, *values: object) -> list[Record]:
        return await self._reader.run(lambda connection: [record_of(row) for row in connection.execute(query, values)])

    async def aclose(self) -> None:
        """Close the database, once what is under way is done."""
        await self._reader.aclose()
        await self._writer.aclose()


def _log(connection: sqlite3.Connection, after: int, limit: int) -> list[LogEntry]:
    query = "SELECT number, id, at, by, why, source FROM transactions WHERE number > ? ORDER BY number LIMIT ?"
    entries = [log_entry(row) for row in connection.execute(query, (after, limit))]
    changes = """SELECT v.number, p.scope, p.key, v.version FROM versions v JOIN places p ON p.place = v.place
        WHERE v.number > ? AND v.number <= ? ORDER BY v.number, v.place"""
    return with_changes(entries, connection.execute(changes, (after, entries[-1].number)) if entries else ())


def _dump(connection: sqlite3.Connection, after: int, limit: int) -> list[Logged]:
    query = "SELECT number, id, digest, at, by, why, source FROM transactions WHERE number > ? ORDER BY number LIMIT ?"
    rows = connection.execute(query, (after, limit)).fetchall()
    if not rows:
        return []
    written = f"{RECORDS} WHERE v.number > ? AND v.number <= ? ORDER BY v.number, v.place"
    # The vector of a record is that of its newest version.
    near = """SELECT p.scope, p.key, v.number, m.vector FROM meanings m JOIN places p ON p.place = m.place
        JOIN versions v ON v.place = p.place AND v.version = p.version
        WHERE v.number > ? AND v.number <= ? AND m.vector IS NOT NULL"""
    between = (after, rows[-1][0])
    versions = map(record_of, connection.execute(written, between))
    vectors = (
        (scope, key, number, numbers_of(vector)) for scope, key, number, vector in connection.execute(near, between)
    )
    (model,) = connection.execute("SELECT model FROM embedding").fetchone() or ("",)
    return logged_of(rows, versions, vectors, model)
