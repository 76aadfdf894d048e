"""Writing records into SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from aos.memory import Committed, Embedded, Logged, Transaction, Write
from aos_activities.memory.embedded import check_embedded, packed
from aos_activities.memory.rows import (
    MADE,
    NOWHERE,
    Entry,
    Place,
    check_next,
    check_same,
    check_versions,
    digest_of,
    entry_of,
    json_of,
    micros,
    moment,
    next_entry,
    repeated,
)
from aos_activities.memory.words import words_of


def commit_in(connection: sqlite3.Connection, given: tuple[Transaction, Embedded | None]) -> Committed:
    """Write all of a transaction, or nothing, in the database's transaction that is open.

    Raises:
        InvalidInput: The id was used for another transaction, or the vectors do not fit those that are there.
        MemoryConflict: A record is not at the version that was expected.
    """
    transaction, embedded = given
    digest = digest_of(transaction)
    before = connection.execute(
        "SELECT number, digest, at FROM transactions WHERE id = ?", (transaction.id,)
    ).fetchone()
    if before:
        number, known, at = before
        check_same(transaction, digest, known)
        return repeated(transaction, number, at, connection.execute(MADE + "?", (number,)))
    places = [_place(connection, write.scope, write.key) for write in transaction.writes]
    read = [_place(connection, reading.scope, reading.key) for reading in transaction.reads]
    check_versions(transaction, places, read)
    return _append(connection, transaction, embedded, next_entry(digest, *last_in(connection)), places)


def restore_in(connection: sqlite3.Connection, transactions: Sequence[Logged]) -> None:
    """Take over transactions as they are, in the database's transaction that is open.

    Raises:
        InvalidInput: They are not the next.
    """
    for each in transactions:
        check_next(each.number, last_in(connection)[0])
        places = [_place(connection, write.scope, write.key) for write in each.transaction.writes]
        _append(connection, each.transaction, each.embedded, entry_of(each), places)


def last_in(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return number and time of the last transaction, 0 where there is none."""
    return connection.execute("SELECT number, at FROM transactions ORDER BY number DESC LIMIT 1").fetchone() or (0, 0)


def _append(
    connection: sqlite3.Connection,
    transaction: Transaction,
    embedded: Embedded | None,
    entry: Entry,
    places: Sequence[Place],
) -> Committed:
    """Write a transaction under its entry; `places` are those that it writes to."""
    number, digest, at = entry
    if embedded:
        _check_meanings(connection, embedded, len(transaction.writes))
    connection.execute(
        "INSERT INTO transactions (number, id, digest, at, by, why, source) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, transaction.id, digest, at, transaction.by, transaction.why, transaction.source),
    )
    written = [
        _write(connection, number, write, place) for write, place in zip(transaction.writes, places, strict=True)
    ]
    _set_meanings(connection, number, written, embedded)
    return Committed(number=number, at=moment(at), versions=[place.version for place in written])


def _place(connection: sqlite3.Connection, scope: str, key: str) -> Place:
    query = """SELECT p.place, p.version, v.forgotten FROM places p
        JOIN versions v ON v.place = p.place AND v.version = p.version WHERE p.scope = ? AND p.key = ?"""
    found: tuple[int, int, int] | None = connection.execute(query, (scope, key)).fetchone()
    return Place(*found) if found else NOWHERE


def _write(connection: sqlite3.Connection, number: int, write: Write, there: Place) -> Place:
    new, place = there.version + 1, there.place
    if place is None:
        place = connection.execute(
            "INSERT INTO places (scope, key, version) VALUES (?, ?, ?)", (write.scope, write.key, new)
        ).lastrowid
    else:
        _take_out(connection, place, there.version, write)
        connection.execute("UPDATE places SET version = ? WHERE place = ?", (new, place))
    data = None if write.data is None else json.dumps(write.data, ensure_ascii=False)
    tags = json.dumps(write.tags, ensure_ascii=False)
    valid = [None if time is None else micros(time) for time in (write.valid_from, write.valid_to)]
    connection.execute(
        "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (place, new, number, write.text, data, write.kind, tags, *valid, write.forget),
    )
    if not write.forget:
        connection.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", ((tag, place) for tag in write.tags))
        connection.execute("INSERT INTO words (rowid, key, text, tags) VALUES (?, ?, ?, ?)", (place, *words_of(write)))
    return Place(place, new, write.forget)


def _take_out(connection: sqlite3.Connection, place: int, version: int, write: Write) -> None:
    """Take a record's newest version out of what is searched; the index of words has to be told what they were."""
    query = "SELECT text, data, tags FROM versions WHERE place = ? AND version = ? AND NOT forgotten"
    if row := connection.execute(query, (place, version)).fetchone():
        text, data, tags = row
        old = write.model_copy(update={"text": text, "data": json_of(data), "tags": json.loads(tags)})
        connection.execute(
            "INSERT INTO words (words, rowid, key, text, tags) VALUES ('delete', ?, ?, ?, ?)", (place, *words_of(old))
        )
        connection.executemany("DELETE FROM tags WHERE tag = ? AND place = ?", ((tag, place) for tag in old.tags))


def _check_meanings(connection: sqlite3.Connection, embedded: Embedded, texts: int) -> None:
    """Check that the vectors of so many texts fit those that are there; the first say what others have to be.

    Raises:
        InvalidInput: They do not.
    """
    found: tuple[str, int] | None = connection.execute("SELECT model, length FROM embedding").fetchone()
    first = check_embedded(embedded, found, texts)
    if found is None and first:
        connection.execute("INSERT INTO embedding VALUES (?, ?)", first)


def _set_meanings(
    connection: sqlite3.Connection, number: int, places: Sequence[Place], embedded: Embedded | None
) -> None:
    """Give records that were written their vectors. Those without one lose what they had."""
    vectors = embedded.vectors if embedded else [None] * len(places)
    for place, vector in zip(places, vectors, strict=True):
        if vector is None or place.forgotten:
            connection.execute(
                "UPDATE meanings SET vector = NULL, number = ? WHERE place = ? AND vector IS NOT NULL",
                (number, place.place),
            )
        else:
            connection.execute(
                """INSERT INTO meanings VALUES (?, ?, ?)
                    ON CONFLICT (place) DO UPDATE SET number = excluded.number, vector = excluded.vector""",
                (place.place, number, packed(vector)),
            )
