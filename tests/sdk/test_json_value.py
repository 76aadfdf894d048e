"""JSON that is carried along: what could not be written again is refused, soon however much of it there is."""

from __future__ import annotations

import math
import time

import pytest

from aos.control import Changes
from aos.errors import InvalidInput
from aos.json_value import check_json
from aos.message import Event
from aos.reading import read_json, read_object


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (math.nan, "infinite"),
        ([1.5, -math.inf], "infinite"),
        ({"a": "\ud800"}, "half of a character"),
        ({"\udfff": 1}, "half of a character"),
        (10**5000, "too many digits"),
        (-(10**5000), "too many digits"),
    ],
    ids=["nan", "infinite", "half", "half in a name", "5,000 digits", "below zero"],
)
def test_what_json_cannot_say_never_gets_into_a_state(data: object, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        read_object(Event, "event", {"type": "a", "data": data})


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidInput):
        read_object(Event, "event", {"type": "a", "data": {1: 2}})
    with pytest.raises(InvalidInput, match="the name of a field is a text"):
        read_object(Changes, "changes", {"output_schema": {"const": {1: 2}}})


@pytest.mark.parametrize("number", [b"NaN", b"1e400", b"-Infinity", b"9" * 5000], ids=["nan", "large", "inf", "digits"])
def test_a_number_that_python_alone_would_read_is_refused(number: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_json(Event, "event", b'{"type": "a", "data": [' + number + b"]}", 100_000)


@pytest.mark.timeout(5)
def test_a_megabyte_of_small_values_is_checked_at_once() -> None:
    values: list[object] = [1, "", None, 1.5, True, {"a": []}] * 80_000
    began = time.thread_time()
    assert check_json(values) is values
    assert time.thread_time() - began < 1
