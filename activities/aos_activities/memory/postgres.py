"""Memory in Postgres, for any number of machines."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from aos.errors import InvalidInput, MemoryConflict
from aos.memory import FOUND, Committed, Embedded, Filter, Found, LogEntry, Logged, Record, Search, Transaction, Write
from aos_activities.memory.postgres_meaning import nearest, prepare_for, set_meanings, vectors_of
from aos_activities.memory.postgres_schema import LOCK, MIGRATIONS
from aos_activities.memory.rows import (
    CURRENT,
    MADE,
    NOWHERE,
    PLACED,
    PLACES,
    RECORDS,
    Entry,
    Place,
    check_next,
    check_same,
    check_versions,
    depth_of,
    digest_of,
    entry_of,
    found_of,
    fused,
    log_entry,
    logged_of,
    micros,
    moment,
    next_entry,
    record_of,
    repeated,
    with_changes,
)
from aos_activities.memory.words import searched_words, words_of
from aos_activities.postgres import Database, SharedWrites

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

_NO_WORD = re.compile(r"\W+")
_WEIGHTS = "'{0.2, 0.3, 0.4, 1.0}'"
"""How much a word of weight D, C, B and A says: in the text, nowhere, in a tag and in the key."""


class PostgresMemory:
    """An `aos.memory.MemoryStore` in the Postgres database at `url`, in a schema of its own.

    Commits of one process that come while another is under way share the next transaction.

    Raises:
        SetupError: `schema` is no name of a schema.
        asyncpg.PostgresError: The database refuses; nothing was written.
        OSError: It is not there.
    """

    def __init__(self, url: str, *, schema: str = "aos_memory") -> None:
        self._database = Database(url, schema, MIGRATIONS, LOCK)
        self._commits = SharedWrites(self._database, _commit, (InvalidInput, MemoryConflict), lock=LOCK)

    async def open(self) -> None:
        """Connect, and make the tables, now instead of at the first use."""
        await self._database.open()

    async def commit(self, transaction: Transaction, embedded: Embedded | None = None) -> Committed:
        """Write all of a transaction, or nothing.

        Raises:
            InvalidInput: The id was used for another transaction, or the vectors do not fit those that are there.
            SetupError: There are vectors, and the database has no pgvector.
            MemoryConflict: A record is not at the version that was expected.
        """
        return await self._commits.add((transaction, embedded))

    async def get(self, scope: str, key: str, as_of: datetime | None = None) -> Record | None:
        """Return a record as it is, or as it was at a time; None where there is or was none."""
        before = "" if as_of is None else "AND t.at <= $3"
        query = f"{RECORDS} WHERE p.scope = $1 AND p.key = $2 {before} ORDER BY v.version DESC LIMIT 1"
        found = await self._records(query, scope, key, *([] if as_of is None else [micros(as_of)]))
        return None if not found or found[0].forgotten else found[0]

    async def versions(
        self, scope: str, key: str, limit: int = FOUND, *, before: int | None = None
    ) -> Sequence[Record]:
        """Return the versions of a record, the newest first; with `before`, those before that version."""
        older = "" if before is None else "AND v.version < $4"
        query = f"{RECORDS} WHERE p.scope = $1 AND p.key = $2 {older} ORDER BY v.version DESC LIMIT $3"
        return await self._records(query, scope, key, limit, *([] if before is None else [before]))

    async def page(self, wanted: Filter, after: tuple[str, str] | None = None, limit: int = FOUND) -> Sequence[Record]:
        """Return the records that are wanted, by scope and key, after a scope and key."""
        conditions, values = _conditions(wanted)
        if after is not None:
            values += after
            conditions += f" AND (p.scope, p.key) > (${len(values) - 1}, ${len(values)})"
        values.append(limit)
        query = f"{RECORDS} WHERE {conditions} ORDER BY p.scope, p.key LIMIT ${len(values)}"
        return await self._records(query, *values)

    async def search(self, wanted: Search, embedded: Embedded | None = None) -> Sequence[Found]:
        """Return what has the words that are looked for, or is near in meaning, best first.

        Raises:
            InvalidInput: The vector does not fit those that are there.
        """
        depth = depth_of(wanted.limit)
        async with self._database.connection() as connection, connection.transaction(readonly=True):
            words = await _with_words(connection, wanted, depth)
            near = await nearest(connection, embedded, *_conditions(wanted), depth) if embedded else []
            ranks = fused(words, near, wanted.limit)
            rows = await connection.fetch(f"{PLACED} WHERE {CURRENT} AND p.place = ANY ($1)", [*ranks])
        return found_of(ranks, {row[0]: record_of(tuple(row)[1:]) for row in rows})

    async def log(self, after: int = 0, limit: int = FOUND) -> Sequence[LogEntry]:
        """Return the transactions after a number, in their order."""
        query = "SELECT number, id, at, by, why, source FROM transactions WHERE number > $1 ORDER BY number LIMIT $2"
        changes = """SELECT v.number, p.scope, p.key, v.version FROM versions v JOIN places p ON p.place = v.place
            WHERE v.number > $1 AND v.number <= $2 ORDER BY v.number, v.place"""
        async with self._database.connection() as connection:
            entries = [log_entry(tuple(row)) for row in await connection.fetch(query, after, limit)]
            changed = await connection.fetch(changes, after, entries[-1].number) if entries else []
        return with_changes(entries, map(tuple, changed))

    async def last(self) -> int:
        """Return the number of the last transaction, 0 where there is none."""
        async with self._database.connection() as connection:
            return (await _last(connection))[0]

    async def dump(self, after: int = 0, limit: int = FOUND) -> Sequence[Logged]:
        """Return the transactions after a number, with all that they wrote."""
        query = """SELECT number, id, digest, at, by, why, source FROM transactions
            WHERE number > $1 ORDER BY number LIMIT $2"""
        written = f"{RECORDS} WHERE v.number > $1 AND v.number <= $2 ORDER BY v.number, v.place"
        async with self._database.connection() as connection, connection.transaction(isolation="repeatable_read"):
            rows = [tuple(row) for row in await connection.fetch(query, after, limit)]
            if not rows:
                return []
            versions = [record_of(tuple(row)) for row in await connection.fetch(written, after, rows[-1][0])]
            model, vectors = await vectors_of(connection, after, rows[-1][0])
        return logged_of(rows, versions, vectors, model)

    async def restore(self, transactions: Sequence[Logged]) -> None:
        """Take over transactions of another store as they are, all or none: the next in its log, without a gap.

        Raises:
            InvalidInput: They are not the next.
        """
        async with self._database.connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            for each in transactions:
                check_next(each.number, (await _last(connection))[0])
                places = [await _place(connection, write.scope, write.key) for write in each.transaction.writes]
                await _append(connection, each.transaction, each.embedded, entry_of(each), places)

    async def _records(self, query: str, *values: object) -> list[Record]:
        return [record_of(tuple(row)) for row in await self._database.fetch(query, *values)]

    async def aclose(self) -> None:
        """Close the connections, once what is under way is done."""
        await self._commits.aclose()
        await self._database.aclose()


async def _with_words(connection: PoolConnectionProxy, wanted: Search, limit: int) -> list[int]:
    """Return the places of the records that have words of what is looked for, best first."""
    words = searched_words(_folded(wanted.text))
    if not words:
        return []
    conditions, values = _conditions(wanted)
    values += (" ".join(words), limit)
    text, most = f"${len(values) - 1}", f"${len(values)}"
    query = f"""{PLACES} WHERE p.words @@ any_word_of({text}) AND {conditions}
        ORDER BY ts_rank({_WEIGHTS}, p.words, any_word_of({text})) DESC, p.place LIMIT {most}"""
    return [row[0] for row in await connection.fetch(query, *values)]


async def _commit(connection: PoolConnectionProxy, given: tuple[Transaction, Embedded | None]) -> Committed:
    transaction, embedded = given
    digest = digest_of(transaction)
    known = "SELECT number, digest, at FROM transactions WHERE id = $1"
    if before := await connection.fetchrow(known, transaction.id):
        number, last_digest, at = before
        check_same(transaction, digest, last_digest)
        return repeated(transaction, number, at, map(tuple, await connection.fetch(MADE + "$1", number)))
    places = [await _place(connection, write.scope, write.key) for write in transaction.writes]
    read = [await _place(connection, reading.scope, reading.key) for reading in transaction.reads]
    check_versions(transaction, places, read)
    return await _append(connection, transaction, embedded, next_entry(digest, *await _last(connection)), places)


async def _last(connection: PoolConnectionProxy) -> tuple[int, int]:
    """Return number and time of the last transaction, 0 where there is none."""
    found = await connection.fetchrow("SELECT number, at FROM transactions ORDER BY number DESC LIMIT 1")
    return (found[0], found[1]) if found else (0, 0)


async def _append(
    connection: PoolConnectionProxy,
    transaction: Transaction,
    embedded: Embedded | None,
    entry: Entry,
    places: Sequence[Place],
) -> Committed:
    """Write a transaction under its entry; `places` are those that it writes to."""
    number, digest, at = entry
    has_meanings = await prepare_for(connection, embedded, len(transaction.writes))
    await connection.execute(
        "INSERT INTO transactions (number, id, digest, at, by, why, source) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        *(number, transaction.id, digest, at, transaction.by, transaction.why, transaction.source),
    )
    written = [
        await _write(connection, number, write, place) for write, place in zip(transaction.writes, places, strict=True)
    ]
    if has_meanings:
        await set_meanings(connection, written, embedded)
    return Committed(number=number, at=moment(at), versions=[place.version for place in written])


async def _place(connection: PoolConnectionProxy, scope: str, key: str) -> Place:
    query = """SELECT p.place, p.version, v.forgotten FROM places p
        JOIN versions v ON v.place = p.place AND v.version = p.version WHERE p.scope = $1 AND p.key = $2"""
    found = await connection.fetchrow(query, scope, key)
    return Place(*found) if found else NOWHERE


async def _write(connection: PoolConnectionProxy, number: int, write: Write, there: Place) -> Place:
    new, place = there.version + 1, there.place
    words = ["", "", ""] if write.forget else [_folded(text) for text in words_of(write)]
    if place is None:
        new_place = """INSERT INTO places (scope, key, version, words)
            VALUES ($4, $5, $6, words_of($1, $2, $3)) RETURNING place"""
        place = await connection.fetchval(new_place, *words, write.scope, write.key, new)
    else:
        new_words = "UPDATE places SET version = $4, words = words_of($1, $2, $3) WHERE place = $5"
        await connection.execute(new_words, *words, new, place)
    data = None if write.data is None else json.dumps(write.data, ensure_ascii=False)
    valid = [None if time is None else micros(time) for time in (write.valid_from, write.valid_to)]
    await connection.execute(
        "INSERT INTO versions VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        *(place, new, number, write.text, data, write.kind, write.tags, *valid, write.forget),
    )
    return Place(place, new, write.forget)


def _conditions(wanted: Filter) -> tuple[str, list[object]]:
    """Return what must hold of records that are wanted, and the values in it."""
    values: list[object] = []

    def mark(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    conditions = [CURRENT]
    if wanted.scopes:
        conditions.append(f"p.scope = ANY ({mark(wanted.scopes)})")
    if wanted.kinds:
        conditions.append(f"v.kind = ANY ({mark(wanted.kinds)})")
    if wanted.tags:
        conditions.append(f"v.tags @> {mark(wanted.tags)}")
    if wanted.prefix:
        conditions.append(f"starts_with(p.key, {mark(wanted.prefix)})")
    if wanted.valid_at is not None:
        at = mark(micros(wanted.valid_at))
        conditions.append(f"coalesce(v.valid_from, t.at) <= {at} AND coalesce(v.valid_to > {at}, TRUE)")
    return " AND ".join(conditions), values


def _folded(text: str) -> str:
    """Return the words of `text` without accents, by which nobody should have to look for it."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    # Postgres would take words with strokes and dots between them for paths and hosts.
    return _NO_WORD.sub(" ", plain)
