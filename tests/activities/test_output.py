"""A model's text as JSON: read soon, whatever it is."""

from __future__ import annotations

import time
from typing import Any

import pytest

from aos.provider import ModelResponse
from aos_activities.output import read_output

SCHEMA: dict[str, Any] = {"type": "object"}


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    ["```" + " " * 3000, "```" + " " * 3000 + "x", "```json" + "\n" * 500_000 + "```", "[" * 100_000, "1" * 5000],
    ids=["fence and spaces", "and a letter", "fences around nothing", "deep", "digits"],
)
def test_a_text_that_is_no_json_is_told_so_soon(text: str) -> None:
    began = time.thread_time()
    output, problem = read_output(ModelResponse(text=text), SCHEMA)
    assert time.thread_time() - began < 1.5
    assert output is None
    assert problem.startswith("the reply is no JSON: ")
    assert len(problem) < 1000


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1e400}', '{"a": "\\ud800"}'])
def test_a_reply_that_could_not_be_written_again_is_no_json(text: str) -> None:
    output, problem = read_output(ModelResponse(text=text), SCHEMA)
    assert output is None
    assert problem.startswith("the reply is no JSON: ")


@pytest.mark.parametrize("text", ['```json\n{"a": 1}\n```', '```\n{"a": 1}```', ' {"a": 1}'])
def test_json_is_read_between_fences_and_without(text: str) -> None:
    assert read_output(ModelResponse(text=text), SCHEMA) == ({"a": 1}, "")
