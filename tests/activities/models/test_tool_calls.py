"""Tool calls as the wire wants them, whatever the conversation looks like."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.conversation import AssistantItem, Item, NoteItem, ToolCall, ToolItem, UserItem
from aos_activities.models.tool_calls import (
    CALLS_PER_STEP,
    answered,
    bounded,
    read_arguments,
    repaired,
    wire_id,
    wire_name,
)

IDS = st.sampled_from(["", "a", "b", "c", "call_1", "call_2"])
ITEMS = st.lists(
    st.one_of(
        st.builds(UserItem, text=st.just("hi")),
        st.builds(NoteItem, text=st.just("note")),
        st.builds(ToolItem, call_id=IDS, name=st.just("t"), text=st.just("r")),
        st.lists(st.builds(ToolCall, id=IDS, name=st.just("t")), max_size=3, unique_by=lambda call: call.id).map(
            lambda calls: AssistantItem(tool_calls=calls)
        ),
    ),
    max_size=12,
)


@given(ITEMS)
def test_each_call_is_followed_at_once_by_its_one_result(items: list[Item]) -> None:
    expected: list[str] = []
    for item in answered(items):
        if isinstance(item, ToolItem):
            assert item.call_id == expected.pop(0)
        else:
            assert not expected
            expected = [call.id for call in item.tool_calls] if isinstance(item, AssistantItem) else []
    assert not expected


@given(ITEMS)
def test_nothing_that_was_said_is_lost(items: list[Item]) -> None:
    result = list(answered(items))
    for kind in (UserItem, AssistantItem):
        assert [item for item in result if isinstance(item, kind)] == [item for item in items if isinstance(item, kind)]
    told = sum(isinstance(item, ToolItem) and not item.error for item in result)
    orphans = sum(isinstance(item, NoteItem) and item.text.startswith("The tool ") for item in result)
    assert told + orphans == sum(isinstance(item, ToolItem) for item in items)


@given(ITEMS, st.lists(st.builds(ToolCall, id=IDS, name=st.just("t")), max_size=6))
def test_repaired_ids_are_new_and_never_twice(items: list[Item], calls: list[ToolCall]) -> None:
    taken = {call.id for item in items if isinstance(item, AssistantItem) for call in item.tool_calls}
    ids = [call.id for call in repaired(calls, items)]
    assert len(set(ids)) == len(ids) == len(calls)
    assert not {*ids} & {*taken, ""}
    assert ids == [call.id for call in repaired(calls, items)]


@given(st.text(max_size=200))
def test_every_name_and_id_fits_the_wire(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", wire_name(text))
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", wire_id(text))


def test_a_name_that_fits_is_left_alone_and_others_stay_apart() -> None:
    assert wire_name("read_document") == "read_document"
    assert wire_name("a.b") != wire_name("a_b") != wire_name("a b")


@given(st.text(max_size=50))
def test_any_text_is_an_object_or_malformed(text: str) -> None:
    arguments, malformed = read_arguments(text)
    assert malformed in ("", text)
    assert not (arguments and malformed)


def test_an_object_is_read() -> None:
    assert read_arguments('{"a": [1, null], "ü": {}}') == ({"a": [1, None], "ü": {}}, "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"a": "x" * 65_529}, "65537 bytes of JSON, where the limit is 65536"),
        ({"a": math.nan}, "infinite"),
        ({"a": "\ud800"}, "half of a character"),
        ({"a": 10**5000}, "too many digits"),
    ],
    ids=["long", "nan", "half", "digits"],
)
def test_arguments_of_any_provider_that_history_cannot_hold_are_malformed(
    arguments: dict[str, object], problem: str
) -> None:
    fine = ToolCall(id="b", name="t", arguments={"a": "x" * 65_528})
    refused, kept = bounded([ToolCall(id="a", name="t", arguments=arguments), fine])
    assert (refused.id, refused.arguments, kept) == ("a", {}, fine)
    assert problem in refused.malformed


def test_a_step_has_so_many_calls_and_so_many_bytes_of_them() -> None:
    many = [ToolCall(id=str(number), name="t") for number in range(CALLS_PER_STEP + 1)]
    assert bounded(many) == many[:-1]
    large = [ToolCall(id=str(number), name="t", arguments={"a": "x" * 60_000}) for number in range(10)]
    assert ["524288 bytes" in call.malformed for call in bounded(large)] == [False] * 8 + [True] * 2
