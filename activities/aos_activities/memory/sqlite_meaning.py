"""The vectors of records in SQLite, and which of them are nearest to one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from aos.memory import Embedded
from aos_activities.memory.embedded import check_embedded, packed
from aos_activities.memory.meaning import MeaningIndex, middle_of, nearest, unpacked
from aos_activities.memory.rows import FEW, PLACES

_SAMPLE = 1_000
"""Vectors from which the middle is taken."""

_GROWTH = 10
"""How many times as many vectors there may be until the middle is taken anew."""

_CANDIDATES, _PER_WANTED = 400, 20


class SqliteMeaning:
    """The vectors of a database as one thread knows them: it looks first at what has changed since it last did."""

    def __init__(self) -> None:
        self._index: MeaningIndex | None = None
        self._seen = 0
        self._enough = 0

    def nearest(
        self,
        connection: sqlite3.Connection,
        embedded: Embedded,
        conditions: Sequence[str],
        values: Sequence[object],
        count: int,
    ) -> list[int]:
        """Return the places of the records that are nearest, of those for which `conditions` hold."""
        check_embedded(embedded, connection.execute("SELECT model, length FROM embedding").fetchone())
        wanted = next((each for each in embedded.vectors if each is not None), None)
        index = self._refreshed(connection)
        if wanted is None or index is None:
            return []
        vector = unpacked(packed(wanted))
        where = " AND ".join(conditions)
        few = self._few(connection, where, values) if len(conditions) > 1 else None
        if few is not None:
            return nearest(vector, _vectors(connection, few), count)
        asked = max(_CANDIDATES, _PER_WANTED * count)
        while True:
            candidates = _holding(connection, index.candidates(vector, asked), where, values)
            if len(candidates) >= count or asked >= len(index):
                return nearest(vector, _vectors(connection, candidates), count)
            asked *= 4

    def _few(self, connection: sqlite3.Connection, where: str, values: Sequence[object]) -> list[int] | None:
        """Return the places for which a filter holds, or None where they are too many to look at each."""
        query = f"{PLACES} WHERE {where} LIMIT ?"
        places = [place for (place,) in connection.execute(query, (*values, FEW + 1))]
        return places if len(places) <= FEW else None

    def _refreshed(self, connection: sqlite3.Connection) -> MeaningIndex | None:
        if self._index is None or len(self._index) > self._enough:
            self._index, self._seen = self._emptied(connection), 0
        if self._index is None:
            return None
        query = "SELECT number, place, vector FROM meanings WHERE number > ? ORDER BY number"
        for number, place, vector in connection.execute(query, (self._seen,)):
            if vector is None:
                self._index.remove(place)
            else:
                self._index.put(place, unpacked(vector))
            self._seen = number
        self._enough = self._enough or _GROWTH * max(_SAMPLE, len(self._index))
        return self._index

    def _emptied(self, connection: sqlite3.Connection) -> MeaningIndex | None:
        query = "SELECT vector FROM meanings WHERE vector IS NOT NULL ORDER BY place LIMIT ?"
        sample = [vector for (vector,) in connection.execute(query, (_SAMPLE,))]
        self._enough = 0
        return MeaningIndex(middle_of(sample)) if sample else None


def _holding(connection: sqlite3.Connection, places: Sequence[int], where: str, values: Sequence[object]) -> list[int]:
    """Return those places for which a filter holds."""
    query = f"{PLACES} WHERE p.place IN (SELECT value FROM json_each(?)) AND {where}"
    return [place for (place,) in connection.execute(query, (json.dumps(places), *values))]


def _vectors(connection: sqlite3.Connection, places: Sequence[int]) -> list[tuple[int, bytes]]:
    query = """SELECT place, vector FROM meanings
        WHERE place IN (SELECT value FROM json_each(?)) AND vector IS NOT NULL"""
    return connection.execute(query, (json.dumps(places),)).fetchall()
