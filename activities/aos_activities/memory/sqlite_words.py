"""Finding records in SQLite by their words."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from aos_activities.memory.sqlite_filter import Narrowed
from aos_activities.memory.words import searched_words

_RANKED = 20_000
"""Most records that are ranked for one search. Words that more have are left out where rarer ones say more."""

_FILTERED = 4
"""How many times as many as are wanted are looked at first where there is a filter."""


def with_words(connection: sqlite3.Connection, text: str, narrowed: Narrowed, count: int) -> list[int]:
    """Return the places of the records that have words of a text and for which a filter holds, best first."""
    # Each word stands in quotes, so that none is read as an operator.
    words = _rarest(connection, [f'"{word}"' for word in searched_words(text)])
    if not words:
        return []
    asked = _RANKED if narrowed.few is not None else count * _FILTERED if narrowed.narrows else count
    query = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank, rowid LIMIT ?"
    while True:
        found = [place for (place,) in connection.execute(query, (" OR ".join(words), asked))]
        held = narrowed.holding(connection, found)
        if len(held) >= count or len(found) < asked:
            return held[:count]
        asked *= _FILTERED


def _rarest(connection: sqlite3.Connection, words: Sequence[str]) -> list[str]:
    """Return the rarest of some words: as many as not too many records have, and one at least."""
    if len(words) < 2:
        return [*words]
    query = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
    counts = {word: connection.execute(query, (word, _RANKED)).fetchone()[0] for word in words}
    chosen: list[str] = []
    ranked = 0
    for word in sorted((word for word in words if counts[word]), key=lambda word: counts[word]):
        ranked += counts[word]
        if chosen and ranked > _RANKED:
            break
        chosen.append(word)
    return chosen
