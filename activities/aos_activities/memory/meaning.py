"""Which of many vectors are nearest to one, in little memory: a bit for each of their numbers, and a second look.

Each vector is kept as the signs of its distances from the middle of all, one bit a number: 48 bytes for 384 numbers.
Those that share most bits with what is looked for are candidates; their order is that of the vectors themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_FIRST_ROWS = 1024
_NOBODY = -1


class MeaningIndex:
    """Vectors of `length` numbers, by the places of their records.

    `middle` is the point from which signs are taken: the mean of vectors that are like those to come.
    """

    def __init__(self, middle: Vector) -> None:
        self._middle = middle
        self._words = -(-len(middle) // 64)
        self._codes: NDArray[np.uint64] = np.zeros((_FIRST_ROWS, self._words), np.uint64)
        self._places: NDArray[np.int64] = np.full(_FIRST_ROWS, _NOBODY, np.int64)
        self._rows: dict[int, int] = {}
        self._free: list[int] = []
        self._used = 0

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, place: int, vector: Vector) -> None:
        """Keep the vector of a record, in place of the one before."""
        row = self._rows.get(place)
        if row is None:
            row = self._rows[place] = self._new_row()
        self._codes[row] = self._code(vector)
        self._places[row] = place

    def remove(self, place: int) -> None:
        """Forget the vector of a record."""
        if (row := self._rows.pop(place, None)) is not None:
            self._places[row] = _NOBODY
            self._free.append(row)

    def candidates(self, vector: Vector, count: int) -> list[int]:
        """Return the places of at most so many vectors that are likely to be the nearest, in no order."""
        differing = np.bitwise_count(self._codes[: self._used] ^ self._code(vector)).sum(axis=1, dtype=np.int32)
        differing[self._places[: self._used] == _NOBODY] = np.iinfo(np.int32).max
        count = min(count, len(self._rows))
        if count < self._used:
            nearest = np.argpartition(differing, count - 1)[:count] if count else np.zeros(0, np.int64)
        else:
            nearest = np.arange(self._used)
        return [int(place) for place in self._places[nearest] if place != _NOBODY]

    def _new_row(self) -> int:
        if self._free:
            return self._free.pop()
        if self._used == len(self._places):
            empty: NDArray[np.int64] = np.full(self._used, _NOBODY, np.int64)
            self._codes = np.concatenate([self._codes, np.zeros((self._used, self._words), np.uint64)])
            self._places = np.concatenate([self._places, empty])
        self._used += 1
        return self._used - 1

    def _code(self, vector: Vector) -> NDArray[np.uint64]:
        bits = np.packbits(vector > self._middle)
        return np.frombuffer(bits.tobytes().ljust(self._words * 8, b"\0"), np.uint64)


def unpacked(data: bytes) -> Vector:
    """Return the vector in bytes."""
    return np.frombuffer(data, np.float32)


def nearest(vector: Vector, found: Iterable[tuple[int, bytes]], count: int) -> list[int]:
    """Return the places of the vectors that are the nearest, the nearest first."""
    pairs = [*found]
    if not pairs:
        return []
    alike = np.frombuffer(b"".join(data for _, data in pairs), np.float32).reshape(len(pairs), -1) @ vector
    order = np.argsort(-alike, kind="stable")[:count]
    return [pairs[int(index)][0] for index in order]


def middle_of(vectors: Iterable[bytes]) -> Vector:
    """Return the mean of vectors."""
    return np.stack([unpacked(data) for data in vectors]).mean(axis=0)
