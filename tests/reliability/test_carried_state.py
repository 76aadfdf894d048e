"""What crosses a rollover is small, however much an agent has heard and whatever has failed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter

from aos.conversation import AssistantItem, Usage, UserItem
from aos.message import Message, Reply, Sequence
from aos.spec import AgentSpec
from aos.views import DeadLetter
from aos_workflows.dead import DEAD_LETTERS_KEPT
from aos_workflows.migrations import dump_state
from aos_workflows.replies import CARRIED_BYTES, ReplyBook
from aos_workflows.state import DEAD_BYTES, AgentState, life_of

STATE_BYTES = 20 * 1024
MESSAGES = 1200

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)


def carried_bytes(state: AgentState) -> int:
    """Return how many bytes of `state` the next run is given."""
    state.replies = state.replies.carried()
    del state.dead[: len(state.old_dead())]
    return len(pydantic_data_converter.payload_converter.to_payload({"resume": dump_state(state)}).data)


def lived(text: str) -> AgentState:
    """Return an agent that answered more messages of one sender than it remembers in anything."""
    life = life_of(str(UUID(int=1)))
    state = AgentState(spec=AgentSpec(name="ada", purpose="live"), life=life, started=NOW.timestamp())
    for number in range(MESSAGES):
        place = Sequence(stream="a client", born=1, number=number + 1)
        message = Message(id=str(UUID(int=number)), text=text, sender="ben", sequence=place)
        assert state.mailbox.offer(message, NOW.timestamp()) == "new"
        state.mailbox.take(1, len(text) * 8)
        state.show(UserItem(text=text, id=message.id, sender="ben"), NOW.timestamp())
        state.show(AssistantItem(text=text, model="openai:gpt-5"), NOW.timestamp())
        usage = Usage(calls=1, input_tokens=2345, output_tokens=345, cost=12_345)
        state.charge("openai:gpt-5", usage)
        state.answer(Reply(id=message.id, status="done", text=text, steps=1, usage=usage))
    return state


def test_a_plain_agent_that_heard_more_than_it_remembers_carries_less_than_twenty_kibibytes() -> None:
    assert 15 * 1024 < carried_bytes(lived("tell me of the ships " * 5)) < STATE_BYTES


def dead(text: str) -> DeadLetter:
    """Return a dead letter as long as one can be in its reason and its text."""
    return DeadLetter.of(id=text * 200, reason=text * 500, text=text * 1000, sender=text * 200, at=NOW)


@pytest.mark.parametrize("text", ["x", "é", "語"])
def test_long_dead_letters_do_not_make_what_is_carried_long(text: str) -> None:
    state = AgentState(spec=AgentSpec(name="ada"), life="life", started=0.0)
    plain = carried_bytes(state)
    for _ in range(DEAD_LETTERS_KEPT):
        state.bury(dead(text))
    assert len(state.old_dead()) > DEAD_LETTERS_KEPT // 2
    assert carried_bytes(state) - plain < DEAD_BYTES + 200
    assert state.dead_count == DEAD_LETTERS_KEPT


def test_the_newest_dead_letters_are_those_that_are_carried() -> None:
    state = AgentState(spec=AgentSpec(name="ada"), life="life", started=0.0)
    for number in range(DEAD_LETTERS_KEPT + 3):
        state.bury(DeadLetter.of(id=f"m{number}", reason="no", text="x", at=NOW))
    assert [letter.id for letter in state.old_dead()] == ["m0", "m1", "m2"]


def test_failures_and_interruptions_cross_before_answers_which_the_store_has_too() -> None:
    book = ReplyBook()
    book.keep(Reply(id="failed", status="failed", error="no"))
    book.keep(Reply(id="interrupted", status="interrupted"))
    for number in range(100):
        book.keep(Reply(id=f"done {number}", status="done", text="x" * 500))
    carried = list(book.carried().replies)
    assert carried[:2] == ["failed", "interrupted"]
    assert carried[2:] == [f"done {number}" for number in range(100 - len(carried) + 2, 100)]
    assert len(carried) > 5


def test_replies_are_counted_in_bytes_not_in_characters() -> None:
    book = ReplyBook()
    for number in range(100):
        book.keep(Reply(id=f"m{number}", status="done", text="語" * 200))
    assert 0 < len(book.carried().model_dump_json().encode()) <= CARRIED_BYTES + 20
