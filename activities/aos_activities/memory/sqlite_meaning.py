"""The vectors of records in SQLite, and which of them are nearest to one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from aos.memory import Embedded
from aos_activities.memory.embedded import check_embedded, packed
from aos_activities.memory.meaning import MeaningIndex, nearest, stacked, unpacked
from aos_activities.memory.sqlite_filter import Narrowed

_SAMPLE = 1_000
"""Vectors from which the middle is taken."""

_AT_ONCE = 10_000
_GROWTH = 10
"""How many times as many vectors there may be until the middle is taken anew."""

_CANDIDATES, _PER_WANTED = 400, 8


class SqliteMeaning:
    """The vectors of a database as one thread knows them: it looks first at what has changed since it last did."""

    def __init__(self) -> None:
        self._index: MeaningIndex | None = None
        self._seen = 0
        self._enough = 0

    def nearest(self, connection: sqlite3.Connection, embedded: Embedded, narrowed: Narrowed, count: int) -> list[int]:
        """Return the places of the records that are nearest, of those for which a filter holds."""
        check_embedded(embedded, connection.execute("SELECT model, length FROM embedding").fetchone(), 1)
        wanted = next((each for each in embedded.vectors if each is not None), None)
        index = self._refreshed(connection)
        if wanted is None or index is None:
            return []
        vector = unpacked(packed(wanted))
        if narrowed.few is not None:
            return nearest(vector, _vectors(connection, narrowed.few), count)
        asked = max(_CANDIDATES, _PER_WANTED * count)
        while True:
            candidates = narrowed.holding(connection, index.candidates(vector, asked))
            if len(candidates) >= count or asked >= len(index):
                return nearest(vector, _vectors(connection, candidates), count)
            asked *= 4

    def _refreshed(self, connection: sqlite3.Connection) -> MeaningIndex | None:
        if self._index is None or len(self._index) > self._enough:
            self._index, self._seen = self._emptied(connection), 0
        if self._index is None:
            return None
        query = "SELECT number, place, vector FROM meanings WHERE number > ? ORDER BY number"
        changed = connection.execute(query, (self._seen,))
        while rows := changed.fetchmany(_AT_ONCE):
            for _, place, vector in rows:
                if vector is None:
                    self._index.remove(place)
            if put := [(place, vector) for _, place, vector in rows if vector is not None]:
                self._index.put([place for place, _ in put], stacked([vector for _, vector in put]))
            self._seen = rows[-1][0]
        self._enough = self._enough or _GROWTH * max(_SAMPLE, len(self._index))
        return self._index

    def _emptied(self, connection: sqlite3.Connection) -> MeaningIndex | None:
        query = "SELECT vector FROM meanings WHERE vector IS NOT NULL ORDER BY place LIMIT ?"
        sample = [vector for (vector,) in connection.execute(query, (_SAMPLE,))]
        self._enough = 0
        return MeaningIndex(stacked(sample).mean(axis=0)) if sample else None


def _vectors(connection: sqlite3.Connection, places: Sequence[int]) -> list[tuple[int, bytes]]:
    query = """SELECT place, vector FROM meanings
        WHERE place IN (SELECT value FROM json_each(?)) AND vector IS NOT NULL"""
    return connection.execute(query, (json.dumps(places),)).fetchall()
