"""Which records are meant, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from aos.memory import Filter
from aos_activities.memory.rows import CURRENT, FEW, PLACES, micros


def conditions_of(wanted: Filter) -> tuple[list[str], list[object]]:
    """Return what must hold of records that are wanted, and the values in it."""
    conditions, values = [CURRENT], list[object]()
    if wanted.scopes:
        conditions.append("p.scope IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(wanted.scopes))
    if wanted.kinds:
        conditions.append("v.kind IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(wanted.kinds))
    for tag in wanted.tags:
        conditions.append("p.place IN (SELECT place FROM tags WHERE tag = ?)")
        values.append(tag)
    if wanted.prefix:
        conditions.append("substr(p.key, 1, ?) = ?")
        values += [len(wanted.prefix), wanted.prefix]
    if wanted.valid_at is not None:
        conditions.append("coalesce(v.valid_from, t.at) <= ? AND coalesce(v.valid_to > ?, TRUE)")
        values += [micros(wanted.valid_at)] * 2
    return conditions, values


class Narrowed:
    """A filter for a search. `few` are the places for which it holds, where these are few; else None."""

    def __init__(self, connection: sqlite3.Connection, wanted: Filter) -> None:
        conditions, self._values = conditions_of(wanted)
        self._where = " AND ".join(conditions)
        self.narrows = len(conditions) > 1
        self.few: Sequence[int] | None = None
        if self.narrows:
            query = f"{PLACES} WHERE {self._where} LIMIT ?"
            places = [place for (place,) in connection.execute(query, (*self._values, FEW + 1))]
            self.few = places if len(places) <= FEW else None

    def holding(self, connection: sqlite3.Connection, places: Sequence[int]) -> list[int]:
        """Return those of some places of records that there are now for which it holds, in their order."""
        if not self.narrows:
            return [*places]
        if self.few is not None:
            held = {*self.few}
        else:
            query = f"{PLACES} WHERE p.place IN (SELECT value FROM json_each(?)) AND {self._where}"
            held = {place for (place,) in connection.execute(query, (json.dumps(places), *self._values))}
        return [place for place in places if place in held]
