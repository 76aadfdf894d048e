"""What may be written into memory."""

from __future__ import annotations

from typing import Any

import pytest

from aos.errors import InvalidInput
from aos.memory import Transaction, Write
from aos.reading import read_object


@pytest.mark.parametrize(
    ("given", "full"),
    [("org", "org"), ("ada", "agent/ada"), ("team/news", "team/news"), ("team/news#t1", "team/news#t1")],
)
def test_a_scope_is_the_organisation_an_agent_a_team_or_a_task(given: str, full: str) -> None:
    assert Write(scope=given, key="k", text="x").scope == full


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"scope": "topic/ships"}, "a topic has no memory"),
        ({"scope": "user/ada"}, "a scope is `org`"),
        ({"scope": "team/a b#t"}, "scope"),
        ({"key": "../other"}, "neither empty nor dots alone"),
        ({"key": "a//b"}, "neither empty nor dots alone"),
        ({"key": "/a"}, "neither empty nor dots alone"),
        ({"key": "a/ . /b"}, "neither empty nor dots alone"),
        ({"key": "a\x00b"}, "no control characters"),
        ({"key": "x" * 201}, "at most 200"),
        ({"text": "a\x00b"}, "no NUL"),
        ({"text": "x" * 65_537}, "longer than 65536 bytes"),
        ({"text": "Ä" * 32_769}, "longer than 65536 bytes"),
        ({"text": "\ud800"}, "half of a character"),
        ({"text": ""}, "neither `text` nor `data`"),
        ({"data": {"a": "x" * 65_536}}, "larger than 65536 bytes"),
        ({"data": ["a\x00"]}, "no NUL"),
        ({"forget": True}, "what is forgotten has neither"),
        ({"expected": -1}, "greater than or equal to 0"),
        ({"valid_from": "2026-02-01T00:00Z", "valid_to": "2026-02-01T00:00Z"}, "not after `valid_from`"),
        ({"valid_from": "2026-02-01T00:00"}, "timezone"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_place_and_the_reason(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_object(Write, "write", {"scope": "org", "key": "k", "text": "x", **wrong})


def test_one_transaction_writes_a_record_once() -> None:
    write = Write(scope="ada", key="k", text="x")
    with pytest.raises(InvalidInput, match="it writes 'k' in agent/ada twice"):
        read_object(Transaction, "transaction", {"id": "t", "writes": [write, write]})
