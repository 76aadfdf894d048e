"""Filters as data: what they hold for, how they are put together, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import InvalidInput
from aos.message import Message
from aos.parts import DataPart
from aos.reading import read_object
from aos.topic import Subscription
from aos.topic_filter import (
    FILTER_BYTES,
    FILTER_DEPTH,
    AllOf,
    AnyOf,
    Equals,
    Exists,
    Filter,
    KindIs,
    Not,
    OneOf,
    Priority,
    Sender,
    Text,
    same,
)

WORDS = st.sampled_from(["storm", "Storm", "calm", "ship"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2, allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
PATHS = st.lists(st.sampled_from(["storm", "ship", "0", "1"]), max_size=3)
MESSAGES = st.builds(
    Message,
    text=st.lists(WORDS, min_size=1, max_size=3).map(" ".join),
    sender=st.sampled_from(["", "agent/radar", "agent/radar-2", "team/news"]),
    kind=st.sampled_from(["note", "question", "task"]),
    priority=st.integers(1, 5),
    parts=st.lists(st.builds(DataPart, name=st.sampled_from(["", "ship"]), data=JSON), max_size=2),
)
LEAVES: st.SearchStrategy[Filter] = st.one_of(
    st.builds(KindIs, kinds=st.lists(st.sampled_from(["note", "question"]), min_size=1, max_size=2)),
    st.builds(Sender, senders=st.lists(st.sampled_from(["radar", "agent/radar*", "*", "team/news"]), min_size=1)),
    st.builds(Priority, at_most=st.integers(1, 5)),
    st.builds(Text, contains=WORDS, case=st.booleans()),
    st.builds(Equals, path=PATHS, value=JSON, part=st.sampled_from(["", "ship"])),
    st.builds(OneOf, path=PATHS, values=st.lists(JSON, min_size=1, max_size=3)),
    st.builds(Exists, path=PATHS),
)
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(AllOf, of=st.lists(inner, min_size=1, max_size=3)),
        st.builds(AnyOf, of=st.lists(inner, min_size=1, max_size=3)),
        st.builds(Not, of=inner),
    ),
    max_leaves=5,
)


def subscription(wanted: object) -> Subscription:
    return read_object(Subscription, "subscription", {"subscriber": "ada", "filter": wanted})


@given(FILTERS, FILTERS, MESSAGES)
def test_the_operators_are_those_of_logic(one: Filter, other: Filter, message: Message) -> None:
    a, b = one.holds(message), other.holds(message)
    assert (one & other).holds(message) == (a and b)
    assert (one | other).holds(message) == (a or b)
    assert (~one).holds(message) == (not a)
    assert (~(one & other)).holds(message) == (~one | ~other).holds(message)


@given(FILTERS, MESSAGES)
def test_a_filter_says_the_same_after_it_has_been_written_and_read(wanted: Filter, message: Message) -> None:
    read = subscription(json.loads(wanted.model_dump_json())).filter
    assert read == wanted
    assert read is not None and read.holds(message) == wanted.holds(message)


@given(FILTERS)
def test_the_depth_is_that_of_the_data(wanted: Filter) -> None:
    def depth(data: Any) -> int:
        if data["type"] == "not":
            return 1 + depth(data["of"])
        return 1 + max((depth(part) for part in data.get("of", [])), default=0)

    assert wanted.depth == depth(json.loads(wanted.model_dump_json()))


@given(JSON, JSON)
def test_two_values_are_the_same_when_they_are_written_alike(one: Any, other: Any) -> None:
    def written(value: Any) -> str:
        return json.dumps(_as_floats(value), sort_keys=True)

    assert same(one, other) == same(other, one) == (written(one) == written(other))
    assert same(one, one)


def _as_floats(value: Any) -> Any:
    """Numbers are the same in JSON whether or not they have a point; Python writes -0.0 apart from 0."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return float(value) + 0.0
    if isinstance(value, list):
        return [_as_floats(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {name: _as_floats(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


@given(PATHS, JSON)
def test_a_value_is_found_at_the_path_where_it_was_put(path: list[str], value: Any) -> None:
    data = value
    for step in reversed(path):
        data = [*([None] * int(step)), data] if step.isdecimal() else {step: data}
    message = Message(text="x", parts=[DataPart(data=data)])
    assert Equals(path=path, value=value).holds(message)
    assert Exists(path=path).holds(message)
    assert OneOf(path=path, values=["another", value]).holds(message)
    assert Equals.model_validate({"path": ".".join(path), "value": value}).holds(message)


SHIP = Message(
    text="The Corvina is in",
    sender="agent/radar-1",
    kind="question",
    priority=2,
    parts=[DataPart(name="ship", data={"name": "Corvina", "ports": ["Hull", "Kiel"], "cargo": None, "a.b": 1, "n": 1})],
)


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ({"type": "text", "contains": "corvina"}, True),
        ({"type": "text", "contains": "corvina", "case": True}, False),
        ({"type": "sender", "senders": ["radar-1"]}, True),
        ({"type": "sender", "senders": ["radar*"]}, True),
        ({"type": "sender", "senders": ["agent/radar"]}, False),
        ({"type": "priority", "at_most": 2}, True),
        ({"type": "priority", "at_most": 1}, False),
        ({"type": "kind", "kinds": ["task", "question"]}, True),
        ({"type": "exists", "path": "cargo"}, True),
        ({"type": "exists", "path": "crew"}, False),
        ({"type": "exists", "path": "ports.2"}, False),
        ({"type": "exists", "path": "ports.-1"}, False),
        ({"type": "exists", "path": "name.0"}, False),
        ({"type": "equals", "path": "ports.1", "value": "Kiel"}, True),
        ({"type": "equals", "path": ["a.b"], "value": 1}, True),
        ({"type": "equals", "path": "a.b", "value": 1}, False),
        ({"type": "equals", "path": "n", "value": True}, False),
        ({"type": "equals", "path": "n", "value": 1.0}, True),
        ({"type": "equals", "path": "name", "value": "Corvina", "part": "ship"}, True),
        ({"type": "equals", "path": "name", "value": "Corvina", "part": "boat"}, False),
        ({"type": "in", "path": "name", "values": ["Ines", "Corvina"]}, True),
    ],
)
def test_each_kind_of_filter_wants_what_it_says(wanted: dict[str, Any], holds: bool) -> None:
    read = subscription(wanted).filter
    assert read is not None and read.holds(SHIP) is holds


def test_filters_may_be_as_deep_and_as_large_as_the_limits_and_no_more() -> None:
    wanted: Filter = Text(contains="x")
    while wanted.depth < FILTER_DEPTH:
        wanted = ~wanted
    assert subscription(wanted).filter == wanted
    with pytest.raises(InvalidInput, match=f"{FILTER_DEPTH + 1} deep, the limit is {FILTER_DEPTH}"):
        subscription((~wanted).model_dump(mode="json"))
    room = FILTER_BYTES - len(Equals(path=["a"], value="").model_dump_json())
    assert subscription(Equals(path=["a"], value="x" * room)).filter
    with pytest.raises(InvalidInput, match=f"has {FILTER_BYTES + 1} bytes"):
        subscription({"type": "equals", "path": "a", "value": "x" * (room + 1)})
