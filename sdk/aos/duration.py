"""Lengths of time as people write them: `90`, `"90s"`, `"15m"`, `"1h30m"`, `"2d"`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_CHARS = 100
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")


def seconds(value: object) -> object:
    """Return the seconds in a text such as `1h30m`; leave anything else for pydantic to judge.

    Raises:
        ValueError: A text that is no length of time.
    """
    if not isinstance(value, str):
        return value
    text = value.strip().lower() if len(value) <= _CHARS else ""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("a length of time looks like 90, '90s', '15m', '1h30m' or '2d'")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


Duration = Annotated[
    float, BeforeValidator(seconds, json_schema_input_type=float | str), Field(ge=0, allow_inf_nan=False)
]
"""Seconds; a text such as `"15m"` is read as such."""
