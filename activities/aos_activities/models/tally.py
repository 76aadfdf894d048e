"""Counts of tokens, as providers give them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

_MOST = 1_000_000_000


def _plausible(value: object) -> int:
    """Return a count that can be one, and 0 in place of any other: an answer is not lost over what it cost."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= _MOST else 0


Tally = Annotated[int, BeforeValidator(_plausible)]
"""Tokens used."""
