"""What need not stand in a memory any more: what is over, what stands there twice, and old episodes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aos.memory import Record

Reason = Literal["over", "twice", "old"]

WHY: dict[Reason, str] = {
    "over": "it was no longer so",
    "twice": "the same stands in the scope under another key",
    "old": "there are enough newer episodes",
}
"""What the log says of it."""


@dataclass(frozen=True, slots=True, order=True)
class Dropped:
    """A record that is to be forgotten, or was. `like` is the key under which the same stands."""

    scope: str
    key: str
    version: int
    reason: Reason
    like: str = ""


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    at: datetime
    key: str
    version: int


class Compaction:
    """Looks through the records of a memory, one after the other, and finds what need not stand there.

    Args:
        now: Records that are so until then, or were until before, are over.
        episodes: How many episodes of each scope are kept, the newest; nothing: all.
    """

    def __init__(self, now: datetime, episodes: int | None = None) -> None:
        self._now = now
        self._episodes = episodes
        self._over: list[Dropped] = []
        self._alike: dict[tuple[str, bytes], list[_Place]] = {}
        self._episodes_of: dict[str, list[_Place]] = {}

    def look_at(self, record: Record) -> None:
        """Take a record into account."""
        place = _Place(record.at, record.key, record.version)
        if record.valid_to is not None and record.valid_to <= self._now:
            self._over.append(Dropped(record.scope, record.key, record.version, "over"))
            return
        if record.kind != "block":  # Specs name blocks by their keys.
            self._alike.setdefault((record.scope, _digest(record)), []).append(place)
        if record.kind == "episode":
            self._episodes_of.setdefault(record.scope, []).append(place)

    def dropped(self) -> list[Dropped]:
        """Return what need not stand in the memory, of all that was looked at."""
        found = {(each.scope, each.key): each for each in (*self._over, *self._twice())}
        for each in self._old(found.keys()):
            found.setdefault((each.scope, each.key), each)
        return sorted(found.values())

    def _twice(self) -> Iterator[Dropped]:
        for (scope, _), places in self._alike.items():
            newest, *others = sorted(places, reverse=True)
            for place in others:
                yield Dropped(scope, place.key, place.version, "twice", like=newest.key)

    def _old(self, gone: Iterable[tuple[str, str]]) -> Iterator[Dropped]:
        if self._episodes is None:
            return
        taken = set(gone)
        for scope, places in self._episodes_of.items():
            left = [place for place in places if (scope, place.key) not in taken]
            for place in sorted(left, reverse=True)[self._episodes :]:
                yield Dropped(scope, place.key, place.version, "old")


def _digest(record: Record) -> bytes:
    """Return what is the same for records that say the same, however it is spaced and whatever its case."""
    text = " ".join(record.text.casefold().split())
    said = [record.kind, text, record.data, sorted(record.tags), str(record.valid_from), str(record.valid_to)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()
