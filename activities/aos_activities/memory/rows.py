"""What the stores of records have in common: what they read, and what a record is in it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from pydantic import JsonValue

from aos.errors import InvalidInput, MemoryConflict
from aos.memory import Committed, Embedded, Found, LogEntry, Logged, Reading, Record, Transaction, Write

SOURCE = "FROM places p JOIN versions v ON v.place = p.place JOIN transactions t ON t.number = v.number"
"""Every version of every record."""

COLUMNS = """p.scope, p.key, v.version, v.text, v.data, v.kind, v.tags, v.valid_from, v.valid_to, v.forgotten,
    t.at, t.by, t.why, t.source, v.number"""
"""Of these, what `record_of` takes."""

RECORDS = f"SELECT {COLUMNS} {SOURCE}"
PLACES = f"SELECT p.place {SOURCE}"
PLACED = f"SELECT p.place, {COLUMNS} {SOURCE}"

MADE = "SELECT p.scope, p.key, v.version FROM versions v JOIN places p ON p.place = v.place WHERE v.number = "
"""What a transaction made; its number follows."""

FEW = 5_000
"""Records whose vectors are compared one by one, where a filter leaves no more: an index of vectors may miss them."""

CURRENT = "v.version = p.version AND NOT v.forgotten"
"""Holds of those that there are now."""

Way = Literal["words", "meaning"]
Ranks = dict[Way, int]

_FUSED = 60
_LEAST_DEPTH = 50
_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)


class Place(NamedTuple):
    """Where a record is. `place` is None for one that was never there; `version` is its newest."""

    place: int | None
    version: int
    forgotten: bool | int

    @property
    def living(self) -> int:
        """The version that there is now, 0 for none."""
        return 0 if self.forgotten else self.version


NOWHERE = Place(None, 0, forgotten=True)


def check_versions(transaction: Transaction, places: Sequence[Place], read: Sequence[Place]) -> None:
    """Check that records are at the versions that a transaction expects: those that it writes, and those it read.

    Raises:
        MemoryConflict: Some are not.
    """
    expected = [
        (write.scope, write.key, write.expected, place.living)
        for write, place in zip(transaction.writes, places, strict=True)
        if write.expected is not None
    ]
    expected += [
        (reading.scope, reading.key, reading.version, place.living)
        for reading, place in zip(transaction.reads, read, strict=True)
    ]
    if wrong := [conflict for conflict in expected if conflict[2] != conflict[3]]:
        raise MemoryConflict(wrong)


def record_of(row: Sequence[Any]) -> Record:
    """Return the record in a row of `RECORDS`."""
    scope, key, version, text, data, kind, tags, valid_from, valid_to, forgotten, at, by, why, source, number = row
    return Record(
        scope=scope,
        key=key,
        version=version,
        text=text,
        data=json_of(data),
        kind=kind,
        tags=json.loads(tags) if isinstance(tags, str) else tags,
        valid_from=None if valid_from is None else moment(valid_from),
        valid_to=None if valid_to is None else moment(valid_to),
        forgotten=bool(forgotten),
        at=moment(at),
        by=by,
        why=why,
        source=source,
        transaction=number,
    )


def log_entry(row: Sequence[Any]) -> LogEntry:
    """Return the transaction in a row of number, id, time, who, why and source."""
    number, name, at, by, why, source = row
    return LogEntry(number=number, id=name, at=moment(at), by=by, why=why, source=source, changed=[])


def with_changes(entries: Iterable[LogEntry], changes: Iterable[Sequence[Any]]) -> list[LogEntry]:
    """Return the transactions, each with what it changed: rows of number, scope, key and version."""
    found = {entry.number: entry for entry in entries}
    for number, scope, key, version in changes:
        found[number].changed.append(Reading(scope=scope, key=key, version=version))
    return [*found.values()]


def fused(words: Sequence[int], meaning: Sequence[int], limit: int) -> dict[int, Ranks]:
    """Return the best places of two rankings together, the best first, with their ranks in each, from 1.

    Reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009): what stands high in either comes high.
    """
    ranks: dict[int, Ranks] = {}
    rankings: tuple[tuple[Way, Sequence[int]], ...] = (("words", words), ("meaning", meaning))
    for way, places in rankings:
        for rank, place in enumerate(places, start=1):
            ranks.setdefault(place, {})[way] = rank
    best = sorted(ranks, key=lambda place: -score_of(ranks[place]))[:limit]
    return {place: ranks[place] for place in best}


def score_of(ranks: Ranks) -> float:
    """Return how good something is that has these ranks."""
    return sum(1 / (_FUSED + rank) for rank in ranks.values())


def depth_of(limit: int) -> int:
    """Return how many places of each ranking are fused where so many are wanted."""
    return max(_LEAST_DEPTH, 3 * limit)


def found_of(ranks: Mapping[int, Ranks], records: Mapping[int, Record]) -> list[Found]:
    """Return records that were found, in the order of their ranks."""
    return [
        Found(record=records[place], score=score_of(each), places=each)
        for place, each in ranks.items()
        if place in records
    ]


def digest_of(transaction: Transaction) -> bytes:
    """Return what tells a transaction from another of its id."""
    return hashlib.sha256(transaction.model_dump_json().encode()).digest()


def check_same(transaction: Transaction, digest: bytes, known: bytes) -> None:
    """Check that a transaction is the one that had its id before.

    Raises:
        InvalidInput: It is another.
    """
    if known != digest:
        raise InvalidInput("transaction", [f"id: {transaction.id!r} was used for another one; give this one a new id"])


def repeated(transaction: Transaction, number: int, at: int, rows: Iterable[Sequence[Any]]) -> Committed:
    """Return what came of a transaction when it happened, from rows of `MADE`."""
    made = {(scope, key): version for scope, key, version in rows}
    versions = [made[write.scope, write.key] for write in transaction.writes]
    return Committed(number=number, at=moment(at), versions=versions, repeated=True)


def write_of(record: Record) -> Write:
    """Return the write that made a version."""
    fields = record.model_dump(include={"scope", "key", "text", "data", "kind", "tags", "valid_from", "valid_to"})
    return Write.model_validate({**fields, "forget": record.forgotten})


def logged_of(
    rows: Iterable[Sequence[Any]],
    versions: Iterable[Record],
    vectors: Iterable[tuple[str, str, int, list[float]]],
    model: str,
) -> list[Logged]:
    """Return transactions with all that they wrote.

    Args:
        rows: Number, id, digest, time, who, why and source of each.
        versions: What they made.
        vectors: Of those versions that are the newest: scope, key, number of the transaction, and the vector.
        model: The one that embedded them.
    """
    made: dict[int, list[Record]] = {}
    for record in versions:
        made.setdefault(record.transaction, []).append(record)
    near = {(number, scope, key): vector for scope, key, number, vector in vectors}
    logged: list[Logged] = []
    for number, name, digest, at, by, why, source in rows:
        writes = [write_of(record) for record in made[number]]
        found = [near.get((number, write.scope, write.key)) for write in writes]
        logged.append(
            Logged(
                number=number,
                digest=digest.hex(),
                at=moment(at),
                transaction=Transaction(id=name, by=by, why=why, source=source, writes=writes),
                embedded=Embedded(model=model, vectors=found) if any(found) else None,
            )
        )
    return logged


class Entry(NamedTuple):
    """What a store keeps of a transaction beside what it was given. `at` is in microseconds since 1970."""

    number: int
    digest: bytes
    at: int


def next_entry(digest: bytes, number: int, at: int) -> Entry:
    """Return the entry that follows the last one of a log, which has that number and time. Times never go back."""
    return Entry(number + 1, digest, max(time.time_ns() // 1000, at + 1))


def entry_of(logged: Logged) -> Entry:
    """Return the entry of a transaction that is taken over."""
    return Entry(logged.number, bytes.fromhex(logged.digest), micros(logged.at))


def check_next(number: int, last: int) -> None:
    """Check that a transaction is the next one of a log.

    Raises:
        InvalidInput: It is not.
    """
    if number != last + 1:
        raise InvalidInput("memory", [f"the log ends with transaction {last}, and {number} does not follow it"])


def json_of(data: str | None) -> JsonValue:
    """Return data as it was before it was written."""
    return None if data is None else json.loads(data)


def micros(time: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def moment(count: int) -> datetime:
    """Return the time so many microseconds after 1970."""
    return _EPOCH + count * _MICROSECOND
