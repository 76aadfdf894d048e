from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aos.conversation import AssistantItem, Item, NoteItem, SummaryItem, ToolItem, UserItem
from aos.provider import ModelRequest
from aos_activities.models.offline import OfflineProvider
from aos_activities.models.offline.text import read

from .conftest import DOCUMENTS, TOOLS

if TYPE_CHECKING:
    from .conftest import Dialogue


def _request(*items: Item, system: str = "") -> ModelRequest:
    return ModelRequest(model="extractive", system=system, items=list(items), tools=TOOLS)


async def test_the_same_request_has_the_same_response(dialogue: Dialogue) -> None:
    await dialogue.ask("Read expedition-report.md")
    dialogue.items.append(UserItem(text="How fast does the ice move? Summarise it too. Use current_time."))
    first = await OfflineProvider().complete(dialogue.request())
    assert first == await OfflineProvider().complete(dialogue.request().model_copy(deep=True))


async def test_a_summary_is_made_of_the_documents_own_sentences_in_their_order(dialogue: Dialogue) -> None:
    reply = await dialogue.ask("Summarise expedition-report.md in four sentences")
    text = " ".join((DOCUMENTS / "expedition-report.md").read_text().split())
    places = [text.find(part.strip()[:60]) for part in reply.text.split(": ", 1)[1].split(". ")]
    assert len(places) >= 4
    assert -1 not in places
    assert places == sorted(places)


async def test_information_is_acknowledged_with_what_was_read(dialogue: Dialogue) -> None:
    reply = await dialogue.ask("The weir was built in 1812. The weir is of oak.")
    assert reply.text.startswith("Noted by the offline model: 11 words; key terms: weir")
    assert "it begins: “The weir was built in 1812.”" in reply.text


async def test_the_response_says_which_model_it_is() -> None:
    response = await OfflineProvider().complete(_request(UserItem(text="Hello!")))
    assert response.model == "offline:extractive"
    assert "offline model" in response.text


async def test_a_listener_is_told_the_whole_text_in_pieces() -> None:
    pieces = list[str]()
    response = await OfflineProvider().complete(_request(UserItem(text="The weir is of oak.")), pieces.append)
    assert "".join(pieces) == response.text
    assert len(pieces) > 5


async def test_a_pause_spreads_the_pieces_over_time() -> None:
    began = time.monotonic()
    pieces = list[str]()
    await OfflineProvider(pause=0.005).complete(_request(UserItem(text="Oak.")), pieces.append)
    assert time.monotonic() - began >= 0.004 * len(pieces)


async def test_usage_is_about_a_token_for_four_characters() -> None:
    text = "word " * 400
    short = await OfflineProvider().complete(_request(UserItem(text="word")))
    response = await OfflineProvider().complete(_request(UserItem(text="word"), AssistantItem(text=text)))
    assert response.usage.input_tokens - short.usage.input_tokens == len(text) // 4
    assert response.usage.output_tokens == -(-len(response.text) // 4)


async def test_a_reply_over_the_output_limit_is_cut_and_says_so() -> None:
    request = _request(UserItem(text="The weir is of oak.")).model_copy(update={"max_output_tokens": 3})
    response = await OfflineProvider().complete(request)
    assert len(response.text) == 12
    assert response.finish_reason == "length"


async def test_a_compaction_keeps_statements_decisions_and_former_summaries_within_its_length() -> None:
    document = (DOCUMENTS / "waterworks-handbook.md").read_text()
    items: list[Item] = [
        SummaryItem(text="- [your message] The budget must never exceed 7,000 crowns."),
        UserItem(text="My name is Ada Hume."),
        AssistantItem(text="Noted."),
        ToolItem(call_id="1", name="fetch_url", text=document),
        UserItem(text="We decided to open the gate on 3 May."),
        *(UserItem(text=f"Is it raining in place {number}?") for number in range(60)),
    ]
    asked = (
        await OfflineProvider().complete(_request(*items, UserItem(text="Summarise the conversation so far.")))
    ).text
    told = (await OfflineProvider().complete(_request(*items, system="Summarize the conversation so far: ..."))).text
    for summary in (asked, told):
        assert len(summary) <= 1500
        assert "7,000 crowns" in summary
        assert "Ada Hume" in summary
        assert "3 May" in summary
    again = (
        await OfflineProvider().complete(_request(SummaryItem(text=told), system="Summarise the conversation"))
    ).text
    assert "7,000 crowns" in again
    assert "Ada Hume" in again


@pytest.mark.parametrize(
    ("text", "reply"),
    [("Reply with APPROVED", "APPROVED"), ("Please say exactly: the end", "the end"), ("Repeat after me: one", "one")],
)
async def test_words_to_be_said_are_said(text: str, reply: str) -> None:
    assert (await OfflineProvider().complete(_request(UserItem(text=text)))).text == reply


async def test_a_request_to_answer_with_something_described_is_no_echo() -> None:
    items = [UserItem(text="The keeper is Tobias Wenlock."), AssistantItem(text="Noted.")]
    response = await OfflineProvider().complete(_request(*items, UserItem(text="Answer with the name of the keeper.")))
    assert "Tobias Wenlock" in response.text


async def test_what_cannot_be_done_is_said_plainly() -> None:
    response = await OfflineProvider().complete(_request(UserItem(text="Write a poem about cats.")))
    assert response.text.startswith("I am the offline model")
    assert response.text.endswith("Write a poem about cats.")


async def test_a_report_is_written_from_what_was_read_of_its_subject(dialogue: Dialogue) -> None:
    await dialogue.ask("Read lighthouse-log.md and waterworks-handbook.md")
    reply = await dialogue.ask("Write a report on birds.")
    assert "perches" in reply.text or "1,326 dead birds" in reply.text
    assert "waterworks" not in reply.text


async def test_a_message_that_failed_is_not_answered_with_the_next() -> None:
    reply = await OfflineProvider().complete(
        _request(UserItem(text="use current_time"), NoteItem(text="The message failed: x"), UserItem(text="Say hello"))
    )
    assert reply.tool_calls == []
    assert reply.text == "hello"


async def test_a_hundred_kilobytes_are_answered_from_and_read_once() -> None:
    text = "\n\n".join(path.read_text() for path in sorted(DOCUMENTS.iterdir()))
    text = "\n\n".join(text.replace("Wenlock", f"Wenlock{number}") for number in range(1 + 100_000 // len(text)))
    request = _request(UserItem(text=text), AssistantItem(text="Noted."), UserItem(text="Who broke his left wrist?"))
    first = await OfflineProvider().complete(request)
    texts = read.cache_info().misses
    second = await OfflineProvider().complete(request)
    assert "Pavel Dorn" in first.text
    assert second == first
    assert read.cache_info().misses == texts


_TEXT = st.text(max_size=200) | st.sampled_from(
    ["", "?", "call add", "read a.md?", "{", "[path: x, bytes 0-9 of 9, the end]"]
)
_ITEM = st.one_of(
    st.builds(UserItem, text=_TEXT),
    st.builds(AssistantItem, text=_TEXT),
    st.builds(NoteItem, text=_TEXT),
    st.builds(SummaryItem, text=_TEXT),
    st.builds(ToolItem, call_id=_TEXT, name=_TEXT, text=_TEXT, error=st.booleans()),
)


@given(st.lists(_ITEM, max_size=6), st.sampled_from(["", "Summarise the conversation so far"]))
@settings(max_examples=200, deadline=None)
async def test_no_text_whatever_makes_it_fail(items: list[Item], system: str) -> None:
    response = await OfflineProvider().complete(_request(*items, system=system))
    assert response.text or response.tool_calls or not items
