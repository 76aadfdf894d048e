"""JSON that can be written again: what AOS carries along without knowing what it means."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar, cast

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
        level = [inner for each in level for inner in _parts(each)]
        if not level:
            return value
    raise ValueError(f"it is nested more deeply than {NESTING} levels")


def _parts(value: object) -> Iterator[object]:
    """Check a value itself, and yield what it is made of."""
    if isinstance(value, dict):
        for name, inner in cast("dict[object, object]", value).items():
            if not isinstance(name, str):
                raise ValueError("the name of a field is a text")
            check_text(name)
            yield inner
    elif isinstance(value, (list, tuple)):
        yield from cast("list[object]", value)
    else:
        _check_scalar(value)


def _check_scalar(value: object) -> None:
    match value:
        case str():
            check_text(value)
        case None | bool():
            pass
        case int():
            if value.bit_length() > _INT_BITS:
                raise ValueError("a number has too many digits")
        case float():
            if not math.isfinite(value):
                raise ValueError("JSON has no infinite numbers, and none that is no number")
        case _:
            raise ValueError(f"JSON cannot say a {type(value).__name__}")


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
