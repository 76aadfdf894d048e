from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aos.conversation import SummaryItem, UserItem

from .conftest import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Dialogue

FACTS = [
    ("lighthouse-log.md", "How tall is the lighthouse tower?", "38 metres"),
    ("lighthouse-log.md", "Who was the first principal keeper?", "Tobias Wenlock"),
    ("lighthouse-log.md", "When was the Corvina wrecked?", "16 November 1893"),
    ("lighthouse-log.md", "Why did the Corvina strike the reef?", "lost her rudder chain"),
    ("lighthouse-log.md", "How much did the lighthouse cost?", "9,460 pounds"),
    ("expedition-report.md", "Who was the leader of the expedition?", "Ingrid Solheim"),
    ("expedition-report.md", "Who broke his wrist?", "Pavel Dorn"),
    ("expedition-report.md", "How thick is the ice?", "312 metres"),
    ("expedition-report.md", "Why did Lake Ister empty?", "melts the passage wider"),
    ("waterworks-handbook.md", "How many people died of cholera in 1866?", "94"),
    ("waterworks-handbook.md", "What caused the burst under Bridge Street?", "Frost had moved the ground"),
    ("waterworks-handbook.md", "When was chlorination introduced?", "15 March 1921"),
    ("waterworks-handbook.md", "Who is the town's chemist?", "Edith Marlowe"),
]


@pytest.mark.parametrize(("path", "question", "fact"), FACTS)
async def test_a_question_is_answered_with_the_fact_and_its_document(
    dialogue: Dialogue, path: str, question: str, fact: str
) -> None:
    await dialogue.ask("Read lighthouse-log.md, expedition-report.md and waterworks-handbook.md")
    reply = (await dialogue.ask(question)).text
    assert fact in reply
    assert reply.endswith(f"(from {path})")


@pytest.mark.parametrize(("path", "question", "fact"), FACTS)
async def test_a_document_sent_as_a_message_is_taken_in_and_quoted_by_its_title(
    dialogue: Dialogue, path: str, question: str, fact: str
) -> None:
    text = (DOCUMENTS / path).read_text()
    title = text.splitlines()[0].removeprefix("# ")
    noted = await dialogue.ask(text)
    assert noted.text.startswith(f"Noted by the offline model: “{title}”")
    reply = (await dialogue.ask(question)).text
    assert fact in reply
    assert reply.endswith(f"(from {title})")
    assert dialogue.calls == []


@pytest.mark.parametrize(
    "question",
    ["What is the capital of Mongolia?", "What is the wifi password of Skerrow Head?", "Who won the cup in 1998?"],
)
async def test_what_is_nowhere_in_the_texts_is_said_to_be_missing(dialogue: Dialogue, question: str) -> None:
    await dialogue.ask("Read lighthouse-log.md")
    assert (await dialogue.ask(question)).text.startswith("I found nothing that answers")


async def test_a_question_about_a_document_reads_it_first_and_only_once(dialogue: Dialogue) -> None:
    question = "What does waterworks-handbook.md say about lead joints?"
    assert "bolted collar" in (await dialogue.ask(question)).text
    calls = len(dialogue.calls)
    await dialogue.ask(question)
    assert len(dialogue.calls) == calls > 1


async def test_a_question_in_the_sentence_that_names_a_tool_is_answered_too(dialogue: Dialogue) -> None:
    reply = await dialogue.ask("Use read_document to read waterworks-handbook.md, then tell me who keeps the rolls.")
    assert "Percival Snow" in reply.text


async def test_what_a_user_told_is_quoted_as_their_message(told: Callable[[str], Dialogue]) -> None:
    reply = await told("Note that my name is Ada. The parcel is in the blue shed.").ask("Where is the parcel?")
    assert reply.text == "“The parcel is in the blue shed.” (from your message)"


async def test_of_two_statements_alike_the_later_one_counts(told: Callable[[str], Dialogue]) -> None:
    dialogue = told("My favourite colour is blue.")
    await dialogue.ask("My favourite colour is green.")
    assert "green" in (await dialogue.ask("What is my favourite colour?")).text


async def test_a_former_question_is_no_answer(told: Callable[[str], Dialogue]) -> None:
    reply = await told("Who keeps the key of the harbour gate?").ask("Who keeps the key of the harbour gate now?")
    assert reply.text.startswith("I found nothing")


async def test_two_questions_get_two_answers(told: Callable[[str], Dialogue]) -> None:
    reply = await told("The mill stands in Corley. The bridge was built in 1740.").ask(
        "Where is the mill? When was the bridge built?"
    )
    assert "Corley" in reply.text.split("\n\n")[0]
    assert "1740" in reply.text.split("\n\n")[1]


async def test_a_summary_of_older_talk_is_a_source(dialogue: Dialogue) -> None:
    dialogue.items.append(SummaryItem(text="- [harbour.md] The pier is 90 metres long."))
    reply = await dialogue.ask("How long is the pier?")
    assert reply.text == "“The pier is 90 metres long.” (from harbour.md)"


async def test_a_message_with_a_text_and_a_question_is_answered_from_the_text(dialogue: Dialogue) -> None:
    reply = await dialogue.ask("The ferry leaves at 8.15 from Tarn Quay.\n\nWhen does the ferry leave?")
    assert "8.15" in reply.text


async def test_messages_that_came_together_are_answered_together(dialogue: Dialogue) -> None:
    dialogue.items.append(UserItem(text="The lamp uses 12 litres a week."))
    assert "12 litres" in (await dialogue.ask("How much does the lamp use?")).text
