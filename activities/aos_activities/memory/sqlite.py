"""Memory in one SQLite file, for one machine."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aos.errors import InvalidInput, MemoryConflict
from aos.memory import FOUND, Committed, Embedded, Filter, Found, LogEntry, Record, Search, Transaction, Write
from aos_activities.memory.rows import (
    CURRENT,
    NOWHERE,
    RECORDS,
    Place,
    check_versions,
    digest_of,
    json_of,
    log_entry,
    micros,
    moment,
    ranked,
    record_of,
    with_changes,
)
from aos_activities.memory.sqlite_schema import migrate
from aos_activities.memory.words import searched_words, words_of
from aos_activities.sqlite import Lane
from aos_activities.sqlite import Transaction as Durably

_WEIGHTS = "5.0, 1.0, 2.0"
"""How much a word in a record's key, text and tags says."""


@dataclass(slots=True, eq=False)
class _Commit:
    """What one `commit` was given, and what came of it."""

    transaction: Transaction
    done: Committed | None = None
    error: Exception | None = None


class SqliteMemory:
    """An `aos.memory.MemoryStore` in the database file `path`, made with its folder if it is missing.

    Commits that come while the disk is busy share the next transaction and its one fsync.

    Raises:
        sqlite3.Error: The file is no database, cannot be written, or the disk is full; nothing was written.
    """

    def __init__(self, path: Path) -> None:
        self._writer = Lane(path, "aos-memory-write", migrate)
        self._reader = Lane(path, "aos-memory-read", migrate)
        self._waiting = deque[_Commit]()

    async def open(self) -> None:
        """Open the database now instead of at its first use."""
        await self._writer.run(lambda connection: None)
        await self._reader.run(lambda connection: None)

    async def commit(self, transaction: Transaction, embedded: Embedded | None = None) -> Committed:
        """Write all of a transaction, or nothing.

        Raises:
            InvalidInput: The id was used for another transaction.
            MemoryConflict: A record is not at the version that was expected.
        """
        commit = _Commit(transaction)
        self._waiting.append(commit)
        try:
            await self._writer.run(self._commit_waiting)
        finally:
            if commit in self._waiting:  # The database could not be opened.
                self._waiting.remove(commit)
        if commit.error is not None:
            raise commit.error
        assert commit.done is not None
        return commit.done

    def _commit_waiting(self, connection: sqlite3.Connection) -> None:
        """Commit all that waits; an earlier call may have committed what this one was meant for."""
        commits: list[_Commit] = []
        while self._waiting:
            commits.append(self._waiting.popleft())
        if not commits:
            return
        try:
            with Durably(connection):
                for commit in commits:
                    try:
                        commit.done = _commit(connection, commit.transaction)
                    except (InvalidInput, MemoryConflict) as error:
                        commit.error = error
        except Exception as error:  # noqa: BLE001 - it is raised by each `commit` that shared the transaction
            for commit in commits:
                commit.error = error

    async def get(self, scope: str, key: str, as_of: datetime | None = None) -> Record | None:
        """Return a record as it is, or as it was at a time; None where there is or was none."""
        before = "" if as_of is None else "AND t.at <= ?"
        query = f"{RECORDS} WHERE p.scope = ? AND p.key = ? {before} ORDER BY v.version DESC LIMIT 1"
        found = await self._records(query, scope, key, *([] if as_of is None else [micros(as_of)]))
        return None if not found or found[0].forgotten else found[0]

    async def versions(self, scope: str, key: str, limit: int = FOUND) -> Sequence[Record]:
        """Return the versions of a record, the newest first."""
        query = f"{RECORDS} WHERE p.scope = ? AND p.key = ? ORDER BY v.version DESC LIMIT ?"
        return await self._records(query, scope, key, limit)

    async def page(self, wanted: Filter, after: tuple[str, str] | None = None, limit: int = FOUND) -> Sequence[Record]:
        """Return the records that are wanted, by scope and key, after a scope and key."""
        conditions, values = _conditions(wanted)
        if after is not None:
            conditions.append("(p.scope, p.key) > (?, ?)")
            values += after
        query = f"{RECORDS} WHERE {' AND '.join(conditions)} ORDER BY p.scope, p.key LIMIT ?"
        return await self._records(query, *values, limit)

    async def search(self, wanted: Search, embedded: Embedded | None = None) -> Sequence[Found]:
        """Return what has the words that are looked for, best first."""
        words = searched_words(wanted.text)
        if not words:
            return []
        conditions, values = _conditions(wanted)
        # Each word stands in quotes, so that none is read as an operator.
        query = f"""{RECORDS} JOIN words ON words.rowid = p.place
            WHERE words MATCH ? AND {" AND ".join(conditions)} ORDER BY bm25(words, {_WEIGHTS}), p.place LIMIT ?"""
        found = await self._records(query, " OR ".join(f'"{word}"' for word in words), *values, wanted.limit)
        return ranked(found)

    async def log(self, after: int = 0, limit: int = FOUND) -> Sequence[LogEntry]:
        """Return the transactions after a number, in their order."""
        return await self._reader.run(lambda connection: _log(connection, after, limit))

    async def _records(self, query: str, *values: object) -> list[Record]:
        return await self._reader.run(lambda connection: [record_of(row) for row in connection.execute(query, values)])

    async def aclose(self) -> None:
        """Close the database, once what is under way is done."""
        await self._reader.aclose()
        await self._writer.aclose()


def _commit(connection: sqlite3.Connection, transaction: Transaction) -> Committed:
    digest = digest_of(transaction)
    before = connection.execute(
        "SELECT number, digest, at FROM transactions WHERE id = ?", (transaction.id,)
    ).fetchone()
    if before:
        return _repeated(connection, transaction, digest, *before)
    places = [_place(connection, write.scope, write.key) for write in transaction.writes]
    read = [_place(connection, reading.scope, reading.key) for reading in transaction.reads]
    check_versions(transaction, places, read)
    last = connection.execute("SELECT number, at FROM transactions ORDER BY number DESC LIMIT 1").fetchone() or (0, 0)
    number, at = last[0] + 1, max(time.time_ns() // 1000, last[1] + 1)
    connection.execute(
        "INSERT INTO transactions (number, id, digest, at, by, why, source) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, transaction.id, digest, at, transaction.by, transaction.why, transaction.source),
    )
    versions = [
        _write(connection, number, write, place) for write, place in zip(transaction.writes, places, strict=True)
    ]
    return Committed(number=number, at=moment(at), versions=versions)


def _repeated(
    connection: sqlite3.Connection, transaction: Transaction, digest: bytes, number: int, before: bytes, at: int
) -> Committed:
    if before != digest:
        raise InvalidInput("transaction", [f"id: {transaction.id!r} was used for another one; give this one a new id"])
    query = """SELECT p.scope, p.key, v.version FROM versions v JOIN places p ON p.place = v.place WHERE v.number = ?"""
    made = {(scope, key): version for scope, key, version in connection.execute(query, (number,))}
    versions = [made[write.scope, write.key] for write in transaction.writes]
    return Committed(number=number, at=moment(at), versions=versions, repeated=True)


def _place(connection: sqlite3.Connection, scope: str, key: str) -> Place:
    query = """SELECT p.place, p.version, v.forgotten FROM places p
        JOIN versions v ON v.place = p.place AND v.version = p.version WHERE p.scope = ? AND p.key = ?"""
    found: tuple[int, int, int] | None = connection.execute(query, (scope, key)).fetchone()
    return Place(*found) if found else NOWHERE


def _write(connection: sqlite3.Connection, number: int, write: Write, there: Place) -> int:
    new, place = there.version + 1, there.place
    if place is None:
        place = connection.execute(
            "INSERT INTO places (scope, key, version) VALUES (?, ?, ?)", (write.scope, write.key, new)
        ).lastrowid
    else:
        _take_out_words(connection, place, there.version, write)
        connection.execute("UPDATE places SET version = ? WHERE place = ?", (new, place))
    data = None if write.data is None else json.dumps(write.data, ensure_ascii=False)
    tags = json.dumps(write.tags, ensure_ascii=False)
    valid = [None if time is None else micros(time) for time in (write.valid_from, write.valid_to)]
    connection.execute(
        "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (place, new, number, write.text, data, write.kind, tags, *valid, write.forget),
    )
    if not write.forget:
        connection.execute("INSERT INTO words (rowid, key, text, tags) VALUES (?, ?, ?, ?)", (place, *words_of(write)))
    return new


def _take_out_words(connection: sqlite3.Connection, place: int, version: int, write: Write) -> None:
    """Take the words of a record's newest version out of the index, which has to be told what they were."""
    query = "SELECT text, data, tags FROM versions WHERE place = ? AND version = ? AND NOT forgotten"
    if row := connection.execute(query, (place, version)).fetchone():
        text, data, tags = row
        old = write.model_copy(update={"text": text, "data": json_of(data), "tags": json.loads(tags)})
        connection.execute(
            "INSERT INTO words (words, rowid, key, text, tags) VALUES ('delete', ?, ?, ?, ?)", (place, *words_of(old))
        )


def _conditions(wanted: Filter) -> tuple[list[str], list[object]]:
    """Return what must hold of records that are wanted, and the values in it."""
    conditions, values = [CURRENT], list[object]()
    if wanted.scopes:
        conditions.append(f"p.scope IN ({_marks(wanted.scopes)})")
        values += wanted.scopes
    if wanted.kinds:
        conditions.append(f"v.kind IN ({_marks(wanted.kinds)})")
        values += wanted.kinds
    for tag in wanted.tags:
        conditions.append("EXISTS (SELECT 1 FROM json_each(v.tags) WHERE value = ?)")
        values.append(tag)
    if wanted.prefix:
        conditions.append("substr(p.key, 1, ?) = ?")
        values += [len(wanted.prefix), wanted.prefix]
    if wanted.valid_at is not None:
        conditions.append("coalesce(v.valid_from, t.at) <= ? AND coalesce(v.valid_to > ?, TRUE)")
        values += [micros(wanted.valid_at)] * 2
    return conditions, values


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _log(connection: sqlite3.Connection, after: int, limit: int) -> list[LogEntry]:
    query = "SELECT number, id, at, by, why, source FROM transactions WHERE number > ? ORDER BY number LIMIT ?"
    entries = [log_entry(row) for row in connection.execute(query, (after, limit))]
    changes = """SELECT v.number, p.scope, p.key, v.version FROM versions v JOIN places p ON p.place = v.place
        WHERE v.number > ? AND v.number <= ? ORDER BY v.number, v.place"""
    return with_changes(entries, connection.execute(changes, (after, entries[-1].number)) if entries else ())
