"""JSON that can be written again: what AOS carries along without knowing what it means."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain
from types import NoneType
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, JsonValue

from aos.limits import NESTING

V = TypeVar("V")

_INT_BITS = 14_000
"""Python writes no integer of more than 4,300 digits."""


def check_json(value: V) -> V:
    """Return `value` if it is JSON that can be written and read again, wherever it is put into something larger.

    Raises:
        ValueError: It has an infinite number, half of a surrogate pair, a name that is no text, or something else
            that JSON cannot say; or it is nested more deeply than `NESTING`.
    """
    level: list[object] = [value]
    for _ in range(NESTING):
        level = _within(level)
        if not level:
            return value
    raise ValueError(f"it is nested more deeply than {NESTING} levels")


def _within(level: list[object]) -> list[object]:
    """Check values, and return what they are made of. A workflow may have 500,000 to check at once: kind by kind."""
    found: list[object] = []
    kinds: dict[type[object], None] = dict.fromkeys(map(type, level))
    for kind in kinds:
        alike: list[Any] = [value for value in level if type(value) is kind]
        if issubclass(kind, dict):
            names = dict.fromkeys(chain.from_iterable(alike))
            if not all(isinstance(name, str) for name in names):
                raise ValueError("the name of a field is a text")
            _check_texts(names)
            for value in alike:
                found += value.values()
        elif issubclass(kind, (list, tuple)):
            found += chain.from_iterable(alike)
        else:
            _check_scalars(kind, alike)
    return found


def _check_scalars(kind: type, alike: list[Any]) -> None:
    if issubclass(kind, str):
        _check_texts(alike)
    elif issubclass(kind, int):
        if max(map(int.bit_length, alike)) > _INT_BITS:
            raise ValueError("a number has too many digits")
    elif issubclass(kind, float):
        if not all(map(math.isfinite, alike)):
            raise ValueError("JSON has no infinite numbers, and none that is no number")
    elif kind is not NoneType:
        raise ValueError(f"JSON cannot say a {kind.__name__}")


def _check_texts(texts: Iterable[str]) -> None:
    """Check that UTF-8 can say every text.

    Raises:
        ValueError: One has half of a surrogate pair.
    """
    if not all(map(str.isascii, texts)):
        for text in texts:
            check_text(text)


def check_text(text: str) -> str:
    """Return `text` if UTF-8 can say it.

    Raises:
        ValueError: It has half of a surrogate pair.
    """
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"U+{ord(text[error.start]):04X} is half of a character") from None
    return text


Json = Annotated[JsonValue, AfterValidator(check_json)]
"""Any JSON that can be written again."""

JsonObject = Annotated[dict[str, Any], AfterValidator(check_json)]
"""A JSON object that can be written again."""
