"""Schemas that people give are checked soon, for workflows check them too."""

from __future__ import annotations

import time

import pytest

from aos.errors import InvalidInput
from aos.limits import MESSAGE_BYTES
from aos.message import Message
from aos.reading import check_size, read_object


@pytest.mark.timeout(5)
@pytest.mark.parametrize(("count", "taken"), [(5_000, True), (10_000, False)])
def test_a_schema_of_very_many_properties_is_taken_or_refused_by_its_size_soon(count: int, taken: bool) -> None:
    given: dict[str, object] = {
        "text": "x",
        "output_schema": {"properties": {f"k{number}": {} for number in range(count)}},
    }
    began = time.thread_time()
    if taken:
        check_size("message", read_object(Message, "message", given), MESSAGE_BYTES)
    else:
        with pytest.raises(InvalidInput, match="a JSON schema has at most 65536 bytes"):
            read_object(Message, "message", given)
    assert time.thread_time() - began < 1.5


@pytest.mark.timeout(5)
def test_a_schema_within_schemas_is_looked_at_once() -> None:
    deep: dict[str, object] = {"type": "nonsense"}
    for _ in range(100):
        deep = {"not": deep}
    with pytest.raises(InvalidInput, match="one or several of array"):
        read_object(Message, "message", {"text": "x", "output_schema": deep})
