from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.cloud_events import from_cloud_event, to_cloud_event
from aos.errors import InvalidInput
from aos.message import Message
from aos.parts import DataPart

MESSAGE = Message(
    text="hello",
    id="m1",
    sender="agent/ada",
    to="team/news",
    kind="task",
    topic="ships",
    priority=1,
    deadline=datetime(2027, 1, 15, 8, tzinfo=UTC),
    correlation="m0",
    causation=["m0"],
    reply_to="agent/ada",
    task="team/news#t1",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    parts=[DataPart(data={"tons": 7})],
)


def test_a_message_is_an_event_with_the_attributes_that_the_standard_asks_for() -> None:
    event = to_cloud_event(MESSAGE, time=datetime(2027, 1, 15, 7, tzinfo=UTC))
    assert {name: event[name] for name in ("specversion", "id", "source", "type", "subject", "time")} == {
        "specversion": "1.0",
        "id": "m1",
        "source": "/agent/ada",
        "type": "aos.message.task",
        "subject": "team/news",
        "time": "2027-01-15T07:00:00+00:00",
    }
    # CloudEvents 1.0.2: names of attributes are lower-case letters and digits.
    assert all(name.isalnum() and name == name.lower() for name in event)
    assert event["traceparent"] == MESSAGE.traceparent


def test_a_message_comes_back_from_its_event_as_it_was() -> None:
    assert from_cloud_event(json.loads(json.dumps(to_cloud_event(MESSAGE)))) == MESSAGE


@given(
    st.builds(
        Message,
        text=st.text(st.characters(codec="utf-8"), min_size=1),
        id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=50),
        kind=st.sampled_from(["note", "question", "answer", "publication", "task"]),
        priority=st.integers(1, 5),
        wake=st.booleans(),
    )
)
def test_every_message_with_an_id_comes_back(message: Message) -> None:
    assert from_cloud_event(json.loads(json.dumps(to_cloud_event(message)))) == message


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": ""}, "id: "),
        ({"source": None}, "source: "),
        ({"specversion": "0.3"}, "specversion: "),
        ({"type": "order.created"}, "type: "),
        ({"data": "text"}, "data: "),
        ({"data": {"text": "x", "colour": "red"}}, "colour: "),
        ({"aospriority": 9}, "priority: "),
    ],
)
def test_what_is_no_event_of_a_message_is_refused_with_every_problem(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_cloud_event({**to_cloud_event(MESSAGE), **changes})
    assert [found[: len(problem)] for found in caught.value.problems] == [problem]
