"""Memory in one SQLite file, for one machine."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from aos.errors import InvalidInput, MemoryConflict
from aos.memory import FOUND, Committed, Embedded, Filter, Found, LogEntry, Reading, Record, Search, Transaction, Write
from aos_activities.memory.sqlite_schema import migrate
from aos_activities.memory.words import searched_words, words_of
from aos_activities.sqlite import Lane
from aos_activities.sqlite import Transaction as Durably

_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)

_RECORDS = """
    SELECT p.scope, p.key, v.version, v.text, v.data, v.kind, v.tags, v.valid_from, v.valid_to, v.forgotten,
        t.at, t.by, t.why, t.source, v.number
    FROM places p JOIN versions v ON v.place = p.place JOIN transactions t ON t.number = v.number
"""
_CURRENT = "v.version = p.version AND NOT v.forgotten"
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
        query = f"{_RECORDS} WHERE p.scope = ? AND p.key = ? {before} ORDER BY v.version DESC LIMIT 1"
        found = await self._records(query, scope, key, *([] if as_of is None else [_micros(as_of)]))
        return None if not found or found[0].forgotten else found[0]

    async def versions(self, scope: str, key: str, limit: int = FOUND) -> Sequence[Record]:
        """Return the versions of a record, the newest first."""
        query = f"{_RECORDS} WHERE p.scope = ? AND p.key = ? ORDER BY v.version DESC LIMIT ?"
        return await self._records(query, scope, key, limit)

    async def page(self, wanted: Filter, after: tuple[str, str] | None = None, limit: int = FOUND) -> Sequence[Record]:
        """Return the records that are wanted, by scope and key, after a scope and key."""
        conditions, values = _conditions(wanted)
        if after is not None:
            conditions.append("(p.scope, p.key) > (?, ?)")
            values += after
        query = f"{_RECORDS} WHERE {' AND '.join(conditions)} ORDER BY p.scope, p.key LIMIT ?"
        return await self._records(query, *values, limit)

    async def search(self, wanted: Search, embedded: Embedded | None = None) -> Sequence[Found]:
        """Return what has the words that are looked for, best first."""
        words = searched_words(wanted.text)
        if not words:
            return []
        conditions, values = _conditions(wanted)
        # Each word stands in quotes, so that none is read as an operator.
        query = f"""{_RECORDS} JOIN words ON words.rowid = p.place
            WHERE words MATCH ? AND {" AND ".join(conditions)} ORDER BY bm25(words, {_WEIGHTS}), p.place LIMIT ?"""
        found = await self._records(query, " OR ".join(f'"{word}"' for word in words), *values, wanted.limit)
        return [
            Found(record=record, score=1 / place, places={"words": place})
            for place, record in enumerate(found, start=1)
        ]

    async def log(self, after: int = 0, limit: int = FOUND) -> Sequence[LogEntry]:
        """Return the transactions after a number, in their order."""
        return await self._reader.run(lambda connection: _log(connection, after, limit))

    async def _records(self, query: str, *values: object) -> list[Record]:
        return await self._reader.run(lambda connection: [_record(row) for row in connection.execute(query, values)])

    async def aclose(self) -> None:
        """Close the database, once what is under way is done."""
        await self._reader.aclose()
        await self._writer.aclose()


def _commit(connection: sqlite3.Connection, transaction: Transaction) -> Committed:
    digest = hashlib.sha256(transaction.model_dump_json().encode()).digest()
    before = connection.execute(
        "SELECT number, digest, at FROM transactions WHERE id = ?", (transaction.id,)
    ).fetchone()
    if before:
        return _repeated(connection, transaction, digest, *before)
    places = [_place(connection, write.scope, write.key) for write in transaction.writes]
    _check(connection, transaction, [version for _, version in places])
    last = connection.execute("SELECT number, at FROM transactions ORDER BY number DESC LIMIT 1").fetchone() or (0, 0)
    number, at = last[0] + 1, max(time.time_ns() // 1000, last[1] + 1)
    connection.execute(
        "INSERT INTO transactions (number, id, digest, at, by, why, source) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, transaction.id, digest, at, transaction.by, transaction.why, transaction.source),
    )
    versions = [
        _write(connection, number, write, place, version)
        for write, (place, version) in zip(transaction.writes, places, strict=True)
    ]
    return Committed(number=number, at=_time(at), versions=versions)


def _repeated(
    connection: sqlite3.Connection, transaction: Transaction, digest: bytes, number: int, before: bytes, at: int
) -> Committed:
    if before != digest:
        raise InvalidInput("transaction", [f"id: {transaction.id!r} was used for another one; give this one a new id"])
    query = """SELECT p.scope, p.key, v.version FROM versions v JOIN places p ON p.place = v.place WHERE v.number = ?"""
    made = {(scope, key): version for scope, key, version in connection.execute(query, (number,))}
    versions = [made[write.scope, write.key] for write in transaction.writes]
    return Committed(number=number, at=_time(at), versions=versions, repeated=True)


def _place(connection: sqlite3.Connection, scope: str, key: str) -> tuple[int | None, int]:
    """Return the place of a record and its newest version; that is 0 where there is none."""
    query = "SELECT place, version FROM places WHERE scope = ? AND key = ?"
    found: tuple[int, int] | None = connection.execute(query, (scope, key)).fetchone()
    return found or (None, 0)


def _check(connection: sqlite3.Connection, transaction: Transaction, newest: list[int]) -> None:
    """Check that records are at the versions that are expected.

    Raises:
        MemoryConflict: Some are not.
    """
    expected = [
        (write.scope, write.key, write.expected, version)
        for write, version in zip(transaction.writes, newest, strict=True)
        if write.expected is not None
    ]
    expected += [
        (read.scope, read.key, read.version, _place(connection, read.scope, read.key)[1]) for read in transaction.reads
    ]
    conflicts = [
        (scope, key, wanted, _living(connection, scope, key, version)) for scope, key, wanted, version in expected
    ]
    if wrong := [conflict for conflict in conflicts if conflict[2] != conflict[3]]:
        raise MemoryConflict(wrong)


def _living(connection: sqlite3.Connection, scope: str, key: str, version: int) -> int:
    """Return the version that a record has, which is 0 for one that is forgotten."""
    query = """SELECT 1 FROM versions v JOIN places p ON p.place = v.place
        WHERE p.scope = ? AND p.key = ? AND v.version = ? AND NOT v.forgotten"""
    return version if connection.execute(query, (scope, key, version)).fetchone() else 0


def _write(connection: sqlite3.Connection, number: int, write: Write, place: int | None, version: int) -> int:
    new = version + 1
    if place is None:
        place = connection.execute(
            "INSERT INTO places (scope, key, version) VALUES (?, ?, ?)", (write.scope, write.key, new)
        ).lastrowid
    else:
        _take_out_words(connection, place, version, write)
        connection.execute("UPDATE places SET version = ? WHERE place = ?", (new, place))
    data = None if write.data is None else json.dumps(write.data, ensure_ascii=False)
    tags = json.dumps(write.tags, ensure_ascii=False)
    valid = [None if moment is None else _micros(moment) for moment in (write.valid_from, write.valid_to)]
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
        old = write.model_copy(update={"text": text, "data": _json(data), "tags": json.loads(tags)})
        connection.execute(
            "INSERT INTO words (words, rowid, key, text, tags) VALUES ('delete', ?, ?, ?, ?)", (place, *words_of(old))
        )


def _conditions(wanted: Filter) -> tuple[list[str], list[object]]:
    """Return what must hold of records that are wanted, and the values in it."""
    conditions, values = [_CURRENT], list[object]()
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
        values += [_micros(wanted.valid_at)] * 2
    return conditions, values


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _log(connection: sqlite3.Connection, after: int, limit: int) -> list[LogEntry]:
    query = "SELECT number, id, at, by, why, source FROM transactions WHERE number > ? ORDER BY number LIMIT ?"
    entries = {
        number: LogEntry(number=number, id=name, at=_time(at), by=by, why=why, source=source, changed=[])
        for number, name, at, by, why, source in connection.execute(query, (after, limit))
    }
    if entries:
        changes = """SELECT v.number, p.scope, p.key, v.version FROM versions v JOIN places p ON p.place = v.place
            WHERE v.number BETWEEN ? AND ? ORDER BY v.number, v.place"""
        for number, scope, key, version in connection.execute(changes, (min(entries), max(entries))):
            entries[number].changed.append(Reading(scope=scope, key=key, version=version))
    return list(entries.values())


def _record(row: tuple[Any, ...]) -> Record:
    scope, key, version, text, data, kind, tags, valid_from, valid_to, forgotten, at, by, why, source, number = row
    return Record(
        scope=scope,
        key=key,
        version=version,
        text=text,
        data=_json(data),
        kind=kind,
        tags=json.loads(tags),
        valid_from=None if valid_from is None else _time(valid_from),
        valid_to=None if valid_to is None else _time(valid_to),
        forgotten=bool(forgotten),
        at=_time(at),
        by=by,
        why=why,
        source=source,
        transaction=number,
    )


def _json(data: str | None) -> JsonValue:
    return None if data is None else json.loads(data)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _time(micros: int) -> datetime:
    return _EPOCH + micros * _MICROSECOND
