from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from aos.errors import InvalidInput
from aos.limits import MESSAGE_BYTES
from aos.message import CHAIN, Message, Reply
from aos.parts import BlobPart, DataPart
from aos.reading import read_json

LONG = Message(
    text="hello",
    id="m1",
    sender="agent/ada",
    to="bob",  # a bare name becomes an address
    kind="question",
    reply_to="agent/ada",
    correlation="m0",
    causation=["m0"],
    waiting=["team/news#t1", "agent/ada"],
    task="team/news#t1",
    deadline=datetime(2027, 1, 15, 8, tzinfo=UTC),
    parts=[DataPart(data={"tons": 7}, name="cargo"), BlobPart(ref="0" * 48, size=3)],
)


def test_a_plain_message_is_written_as_short_as_before_there_was_an_envelope() -> None:
    assert json.loads(Message(text="hello", id="m1").model_dump_json()) == {"text": "hello", "id": "m1"}


def test_a_message_with_everything_is_read_as_it_was_written() -> None:
    again = Message.model_validate_json(LONG.model_dump_json())
    assert again == LONG
    assert again.to == "agent/bob"
    assert [part.type for part in again.parts] == ["data", "blob"]


def test_the_parts_say_what_they_are_where_they_are_written() -> None:
    assert [part["type"] for part in json.loads(LONG.model_dump_json())["parts"]] == ["data", "blob"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"to": "planet/mars"}, "to: "),
        ({"reply_to": "a b"}, "reply_to: "),
        ({"deadline": "2027-01-15T08:00:00"}, "deadline: "),
        ({"causation": ["m"] * (CHAIN + 1)}, "causation: "),
        ({"waiting": ["m"] * (CHAIN + 1)}, "waiting: "),
        ({"kind": "gossip"}, "kind: "),
        ({"parts": [{"type": "data"}]}, "parts.0.data: "),
        ({"parts": [{"type": "song"}]}, "parts.0.type: "),
        ({"parts": [{"data": 1}]}, "parts.0: "),
        ({"parts": [{"type": "blob", "ref": "short"}]}, "parts.0.ref: "),
        ({"priority": 0}, "priority: "),
    ],
)
def test_a_wrong_field_of_the_envelope_is_named(fields: dict[str, object], problem: str) -> None:
    data = json.dumps({"text": "x", **fields})
    with pytest.raises(InvalidInput) as caught:
        read_json(Message, "message", data, MESSAGE_BYTES)
    assert {found[: len(problem)] for found in caught.value.problems} == {problem}


def test_a_reply_tells_what_only_teams_and_agents_ask_for_only_where_it_is_so() -> None:
    plain = json.loads(Reply(id="m1", status="done").model_dump_json())
    assert not {"handoff", "called", "retry_after"} & set(plain)
    assert plain["status"] == "done"
    told = Reply(id="m1", status="done", handoff="bob", called=["handoff"], retry_after=3.0)
    assert Reply.model_validate_json(told.model_dump_json()) == told
