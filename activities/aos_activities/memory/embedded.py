"""Vectors that come with records, checked against those that a store holds."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import isfinite, sqrt

from aos.errors import InvalidInput
from aos.memory import Embedded

LONGEST = 4_000
"""Most numbers of a vector: pgvector indexes no more, in half precision."""


def check_embedded(embedded: Embedded, there: tuple[str, int] | None, texts: int) -> tuple[str, int] | None:
    """Return the model and the length of the vectors of so many texts; they must be those that are there, if any are.

    Raises:
        InvalidInput: They are not, or a vector is none, or there are not as many as texts.
    """
    if len(embedded.vectors) != texts:
        raise InvalidInput("embedding", [f"vectors: there are {len(embedded.vectors)} of them for {texts} texts"])
    problems: list[str] = []
    lengths = {len(vector) for vector in embedded.vectors if vector is not None}
    if not lengths:
        return there
    if len(lengths) > 1 or not 1 <= max(lengths) <= LONGEST:
        problems.append(f"vectors: they have {sorted(lengths)} numbers; all have as many, from 1 to {LONGEST}")
    if not all(isfinite(number) for vector in embedded.vectors for number in vector or ()):
        problems.append("vectors: a number is infinite, or none")
    mine = (embedded.model, max(lengths))
    if there and mine != there and not problems:
        problems.append(
            f"vectors: they are {mine[1]} numbers of {mine[0]}, those in memory are {there[1]} of {there[0]}; "
            "go on with that model, or embed memory anew"
        )
    if problems:
        raise InvalidInput("embedding", problems)
    return mine


def packed(vector: Sequence[float]) -> bytes:
    """Return a vector, made one long, as bytes of 32-bit numbers."""
    length = sqrt(sum(number * number for number in vector)) or 1.0
    return array("f", [number / length for number in vector]).tobytes()


def numbers_of(vector: bytes) -> list[float]:
    """Return the numbers that were packed."""
    return array("f", vector).tolist()
