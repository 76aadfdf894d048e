"""Which of many vectors are nearest to one, in little memory: a bit for each of their numbers, and a second look.

Each vector is kept as the signs of its distances from the middle of all, one bit a number: 48 bytes for 384 numbers.
Those that share most bits with what is looked for are candidates; their order is that of the vectors themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_FIRST_ROWS = 1024
_NOBODY = -1


class MeaningIndex:
    """Vectors as long as `middle`, by the places of their records.

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

    def put(self, places: Sequence[int], vectors: Vector) -> None:
        """Keep the vectors of records, one in each row, in place of those before."""
        rows = [self._row(place) for place in places]
        self._codes[rows] = self._coded(vectors)
        self._places[rows] = places

    def remove(self, place: int) -> None:
        """Forget the vector of a record."""
        if (row := self._rows.pop(place, None)) is not None:
            self._places[row] = _NOBODY
            self._free.append(row)

    def candidates(self, vector: Vector, count: int) -> list[int]:
        """Return the places of at most so many vectors that are likely to be the nearest, in no order."""
        differing = np.bitwise_count(self._codes[: self._used] ^ self._coded(vector[np.newaxis])).sum(
            axis=1, dtype=np.int32
        )
        differing[self._places[: self._used] == _NOBODY] = np.iinfo(np.int32).max
        count = min(count, len(self._rows))
        if count < self._used:
            nearest = np.argpartition(differing, count - 1)[:count] if count else np.zeros(0, np.int64)
        else:
            nearest = np.arange(self._used)
        return [int(place) for place in self._places[nearest] if place != _NOBODY]

    def _row(self, place: int) -> int:
        """Return the row of a record, a new one if it has none."""
        if (row := self._rows.get(place)) is not None:
            return row
        if self._free:
            row = self._free.pop()
        else:
            row, self._used = self._used, self._used + 1
            if row == len(self._places):
                empty: NDArray[np.int64] = np.full(row, _NOBODY, np.int64)
                self._codes = np.concatenate([self._codes, np.zeros((row, self._words), np.uint64)])
                self._places = np.concatenate([self._places, empty])
        self._rows[place] = row
        return row

    def _coded(self, vectors: Vector) -> NDArray[np.uint64]:
        bits = np.packbits(vectors > self._middle, axis=1)
        room = self._words * 8 - bits.shape[1]
        return np.pad(bits, ((0, 0), (0, room))).view(np.uint64)


def unpacked(data: bytes) -> Vector:
    """Return the vector in bytes."""
    return np.frombuffer(data, np.float32)


def nearest(vector: Vector, found: Iterable[tuple[int, bytes]], count: int) -> list[int]:
    """Return the places of the vectors that are the nearest, the nearest first."""
    pairs = [*found]
    if not pairs:
        return []
    alike = stacked([data for _, data in pairs]) @ vector
    order = np.argsort(-alike, kind="stable")[:count]
    return [pairs[int(index)][0] for index in order]


def stacked(data: Sequence[bytes]) -> Vector:
    """Return vectors in bytes as rows."""
    return np.frombuffer(b"".join(data), np.float32).reshape(len(data), -1)
