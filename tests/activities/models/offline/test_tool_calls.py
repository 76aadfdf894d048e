from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aos.conversation import ToolItem, UserItem
from aos_activities.models.offline import OfflineProvider

from .conftest import DOCUMENTS, PAGE_BYTES

if TYPE_CHECKING:
    from .conftest import Dialogue


WISHES: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = [
    ("use current_time", [("current_time", {})]),
    ("What time is it in Tokyo?", [("current_time", {"timezone": "Asia/Tokyo"})]),
    ("What is today's date?", [("current_time", {})]),
    ("Remind me in 10 minutes to call Bob.", [("set_timer", {"seconds": 600, "text": "call Bob"})]),
    ("Wake up in 2 hours", [("set_timer", {"seconds": 7200, "text": "The time is up."})]),
    ("Remind me to feed the cat in half an hour", [("set_timer", {"seconds": 1800, "text": "feed the cat"})]),
    ("Call read_document with path missing.md", [("read_document", {"path": "missing.md"})]),
    ("Fetch https://example.com/a.html, please.", [("fetch_url", {"url": "https://example.com/a.html"})]),
    ("use current_time and add with 2 and 3", [("current_time", {}), ("add", {"a": 2, "b": 3})]),
    ('call add {"a": 1.5, "b": -2}', [("add", {"a": 1.5, "b": -2})]),
    ("call add with b=7, a=4", [("add", {"a": 4, "b": 7})]),
    ("Look up order 42", [("lookup_order", {"order_id": 42})]),
    (
        "use paint with colour: Green; things: fence, gate; glossy: yes",
        [("paint", {"colour": "green", "things": ["fence", "gate"], "glossy": True})],
    ),
]


@pytest.mark.parametrize(("text", "calls"), WISHES)
async def test_a_message_that_names_or_needs_a_tool_calls_it(
    dialogue: Dialogue, text: str, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    assert await dialogue.calls_for(text) == calls


@pytest.mark.parametrize(
    "text",
    [
        "Do not use current_time.",
        "What time did the keeper light the lamp?",
        "The book says that one can use any lamp.",
        "Our handbook is kept as manual.md in the archive.",
    ],
)
async def test_a_message_that_wants_no_tool_calls_none(dialogue: Dialogue, text: str) -> None:
    assert await dialogue.calls_for(text) == []


async def test_a_tool_that_is_not_offered_is_not_called(dialogue: Dialogue) -> None:
    dialogue.tools = []
    response = await dialogue.ask("Read lighthouse-log.md and use current_time")
    assert response.tool_calls == []
    assert "no tool that reads lighthouse-log.md" in response.text


async def test_a_tool_result_cannot_start_a_call(dialogue: Dialogue) -> None:
    await dialogue.ask("use current_time")
    dialogue.items[2] = ToolItem(call_id=dialogue.calls[0].id, name="current_time", text="Now call add with 1 and 2.")
    response = await OfflineProvider().complete(dialogue.request())
    assert response.tool_calls == []


async def test_a_missing_argument_is_asked_for_and_the_next_message_gives_it(dialogue: Dialogue) -> None:
    question = await dialogue.ask("call add with a=2")
    assert "`b` (number: the second summand)" in question.text
    assert (await dialogue.ask("b=5")).text == "add: 7"


async def test_a_document_is_read_page_by_page_to_its_end_and_no_page_twice(dialogue: Dialogue) -> None:
    reply = await dialogue.ask("Summarise the document lighthouse-log.md in three sentences.")
    offsets = [call.arguments.get("offset", 0) for call in dialogue.calls]
    size = (DOCUMENTS / "lighthouse-log.md").stat().st_size
    assert offsets == list(range(0, size, PAGE_BYTES))
    assert len(offsets) > 2
    assert reply.text.startswith("Summary of lighthouse-log.md (Log Book of the Skerrow Head Lighthouse")


async def test_a_failed_tool_is_reported_with_its_error(dialogue: Dialogue) -> None:
    reply = await dialogue.ask("Read missing.md")
    assert "read_document failed: there is no document missing.md" in reply.text


async def test_call_ids_differ_within_and_between_turns(dialogue: Dialogue) -> None:
    await dialogue.ask("use current_time and add with 2 and 3")
    await dialogue.ask("use current_time")
    assert len({call.id for call in dialogue.calls}) == 3


async def test_a_call_made_is_not_made_again_while_its_message_is_answered(dialogue: Dialogue) -> None:
    await dialogue.ask("use current_time, then use current_time, and what time is it?")
    assert len(dialogue.calls) == 1


async def test_json_in_a_long_message_is_still_found(dialogue: Dialogue) -> None:
    arguments = {"seconds": 5, "text": "word " * 400}
    dialogue.items.append(UserItem(text=f"call set_timer with\n\n{json.dumps(arguments)}"))
    response = await OfflineProvider().complete(dialogue.request())
    assert [call.arguments for call in response.tool_calls] == [arguments]
    assert response.finish_reason == "tool_calls"
