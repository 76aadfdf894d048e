"""What is wrong with what people typed is told soon and in few words, however much is wrong."""

from __future__ import annotations

import json
import time

import pytest

from aos.errors import InvalidInput
from aos.limits import MESSAGE_BYTES
from aos.message import Message
from aos.reading import read_json, read_object
from aos.spec import AgentSpec


@pytest.mark.timeout(5)
def test_twenty_thousand_unknown_fields_are_refused_soon_and_in_few_words() -> None:
    given = json.dumps({"text": "x", **{f"field{number}": 0 for number in range(20_000)}})
    began = time.thread_time()
    with pytest.raises(InvalidInput) as refused:
        read_json(Message, "message", given, MESSAGE_BYTES)
    assert time.thread_time() - began < 1.5
    assert len(refused.value.problems) == 10
    assert len(str(refused.value)) < 8000


@pytest.mark.timeout(5)
@pytest.mark.parametrize("size", [1_000, 20_000])
def test_a_long_name_of_a_field_is_shown_in_part(size: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_object(Message, "message", {"text": "x", "n" * size: 1})
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("field", ["max_output_tokens", "context_tokens", "max_steps"])
def test_a_number_of_six_thousand_digits_is_refused_for_a_field(field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        read_object(AgentSpec, "agent", {"name": "ada", field: 10**6000})
