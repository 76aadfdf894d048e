from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from aos.duration import Duration

DURATION: TypeAdapter[float] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90),
        (1.5, 1.5),
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("1h30m", 5400),
        ("2d", 172_800),
        (" 1H ", 3600),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("1w", 604_800),
        (0, 0),
    ],
)
def test_lengths_of_time_are_read_as_people_write_them(written: object, seconds: float) -> None:
    assert DURATION.validate_python(written) == seconds


@pytest.mark.parametrize("written", ["", "m", "5 parrots", "1h 30m", "-5s", "1h30", "h1", "5s!", -1, None, math.inf])
def test_anything_else_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        DURATION.validate_python(written)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_parts_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert DURATION.validate_python(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@given(st.text(max_size=10))
def test_no_text_breaks_it(text: str) -> None:
    with suppress(ValidationError):
        assert DURATION.validate_python(text) >= 0


@pytest.mark.timeout(5)
@pytest.mark.parametrize("written", ["1" * 20_000 + "x", "1" * 20_000, "1s" * 10_000, "1." * 10_000])
def test_a_text_of_twenty_thousand_digits_is_refused_at_once(written: str) -> None:
    with pytest.raises(ValidationError, match="a length of time looks like"):
        DURATION.validate_python(written)
