from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import AgentStopped, InvalidInput, TerminalError, Unreachable
from aos.message import CHAIN
from aos.parts import DataPart
from aos.tools import Tool, ToolCallInfo, in_call
from aos.topic import Subscription
from aos_activities.builtin.topics import topic_tools
from engine.noticeboard import NoticeBoard

CALL = ToolCallInfo(key="life/1/2/0/head", agent="ada", message_id="m1", causation=["m0"])


@pytest.fixture
def board() -> NoticeBoard:
    return NoticeBoard()


@pytest.fixture
def call() -> Iterator[ToolCallInfo]:
    with in_call(CALL):
        yield CALL


def tools(board: NoticeBoard) -> dict[str, Tool[..., Any]]:
    return {tool.name: tool for tool in topic_tools(board)}


BOARD = NoticeBoard()
PUBLISH = tools(BOARD)["publish"]


@given(
    key=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=200),
    text=st.text(st.characters(codec="utf-8"), min_size=1),
    priority=st.integers(1, 5),
    led=st.lists(st.text(max_size=20), max_size=CHAIN - 1),
)
async def test_what_is_published_is_the_same_message_at_every_attempt_of_a_call(
    key: str, text: str, priority: int, led: list[str]
) -> None:
    BOARD.published.clear()
    for attempt in (1, 2):
        with in_call(ToolCallInfo(key=key, agent="ada", message_id="m1", causation=led, attempt=attempt)):
            await PUBLISH("ships", text, {"tons": 7}, priority)
    (topic, first), again = BOARD.published
    assert (topic, first) == again
    assert (topic, first.id, first.text, first.priority) == ("ships", key, text, priority)
    assert (first.sender, first.causation) == ("agent/ada", [*led, "m1"])
    (part,) = first.parts
    assert isinstance(part, DataPart) and part.data == {"tons": 7}


async def test_what_no_message_led_to_has_no_chain(board: NoticeBoard) -> None:
    with in_call(ToolCallInfo(key="k", agent="ada")):
        told = await tools(board)["publish"]("ships", "the tide is out")
    assert told == "published on ships; whoever has subscribed reads it in time"
    ((_, message),) = board.published
    assert (message.causation, message.parts, message.priority) == ([], [], 3)


async def test_agents_that_publish_to_each_other_come_to_an_end(board: NoticeBoard) -> None:
    led = [f"m{number}" for number in range(CHAIN)]
    call = ToolCallInfo(key="k", agent="ada", message_id="m", causation=led)
    with in_call(call), pytest.raises(TerminalError, match=f"{CHAIN} messages led to this one"):
        await tools(board)["publish"]("ships", "again")
    assert not board.published


@pytest.mark.usefixtures("call")
async def test_an_agent_subscribes_and_unsubscribes_itself(board: NoticeBoard) -> None:
    wanted = {"type": "equals", "path": "ship.name", "value": "Corvina"}
    told = await tools(board)["subscribe"]("ships", wanted)
    assert told == "you are told what is published on ships, where your filter holds"
    ((topic, subscriber), subscription) = next(iter(board.subscribed.items()))
    assert (topic, subscriber) == ("ships", "agent/ada")
    assert subscription.filter is not None
    assert await tools(board)["subscribe"]("ships") == "you are told what is published on ships"
    assert await tools(board)["unsubscribe"]("ships") == "you are told nothing more of ships"
    assert not board.subscribed


@pytest.mark.usefixtures("call")
@pytest.mark.parametrize(
    ("name", "given", "refusal"),
    [
        ("publish", ["text"], InvalidInput("topic", ["name: 'ships.1' will not do"])),
        ("subscribe", [], InvalidInput("topic", ["name: 'ships.1' will not do"])),
        ("subscribe", [], AgentStopped("topic/ships")),
        ("unsubscribe", [], InvalidInput("topic", ["name: 'ships.1' will not do"])),
        ("unsubscribe", [], AgentStopped("topic/ships")),
    ],
)
async def test_what_cannot_be_done_is_told_to_the_model_at_once(
    board: NoticeBoard, name: str, given: list[str], refusal: Exception
) -> None:
    board.refusal = refusal
    with pytest.raises(TerminalError, match="ships"):
        await tools(board)[name]("ships", *given)


@pytest.mark.usefixtures("call")
@pytest.mark.parametrize(("name", "given"), [("publish", ["text"]), ("subscribe", []), ("unsubscribe", [])])
async def test_a_server_that_is_away_is_a_reason_to_try_again(board: NoticeBoard, name: str, given: list[str]) -> None:
    board.refusal = Unreachable("the address in use", "no answer")
    with pytest.raises(Unreachable):
        await tools(board)[name]("ships", *given)


@pytest.mark.parametrize(
    ("name", "given", "problem"),
    [
        ("publish", {"topic": "ships", "text": ""}, "text"),
        ("publish", {"topic": "ships", "text": "x", "priority": 6}, "priority"),
        ("subscribe", {"topic": "ships", "filter": "storm"}, "filter"),
        ("unsubscribe", {}, "topic"),
    ],
)
def test_arguments_that_do_not_fit_are_named(
    board: NoticeBoard, name: str, given: dict[str, object], problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        tools(board)[name].validate(given)


def test_the_filters_that_the_model_is_shown_can_all_be_read(board: NoticeBoard) -> None:
    described = str(tools(board)["subscribe"].parameters["properties"]["filter"]["description"])
    shown = [found for found in re.findall(r"\{[^{}]*\}", described) if "..." not in found]
    kinds = [
        Subscription.model_validate({"subscriber": "ada", "filter": json.loads(found)}).filter.type  # pyright: ignore[reportOptionalMemberAccess]
        for found in shown
    ]
    assert kinds == ["text", "sender", "priority", "kind", "equals", "in", "exists"]
