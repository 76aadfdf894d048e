"""A message whose deadline has passed is not begun, and whoever waits for it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aos.errors import MessageFailed
from aos.message import Message
from aos.names import agent_workflow_id
from engine.engine import Engine
from engine.scripts import Held, said
from engine.talkers import TOOLS, making, replies_to


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def _now() -> datetime:
    return datetime.now(UTC)


async def test_a_message_that_comes_too_late_to_be_begun_is_a_dead_letter(engine: Engine) -> None:
    ada = await engine.start()
    other = await engine.start()
    await engine.send(ada, "late", id="m1", deadline=soon(-5), reply_to=agent_workflow_id(other))
    await engine.send(ada, "in time", deadline=soon(600))
    await engine.until_handled(ada, 1)
    (letter,) = (await engine.client.dead_letters(ada)).letters
    assert (letter.id, letter.kind, letter.replayable) == ("m1", "undeliverable", True)
    assert "deadline" in letter.reason
    (reply,) = await engine.until(lambda: replies_to(engine, other), lambda replies: len(replies) == 1)
    assert (reply.id, reply.status) == ("m1", "failed")
    assert said(engine.models.requests[ada]) == ["in time"]
    assert (await engine.client.status(ada)).failed == 1


async def test_who_asks_with_a_deadline_that_passes_while_the_agent_works_is_told(engine: Engine) -> None:
    held = Held(on="long")
    ada = await engine.start(held)
    await engine.send(ada, "long")
    await held.reached.wait()
    deadline = soon(0.5)
    late = await engine.client.ask(ada, Message(text="late", id="m1", deadline=deadline, wait=False))
    assert late.status == "pending"
    await engine.until(_now, lambda now: now > deadline)
    held.let_go()
    with pytest.raises(MessageFailed, match="deadline"):
        await engine.client.ask(ada, Message(text="late", id="m1"))


async def test_an_answer_that_does_not_come_in_time_is_waited_for_no_longer(engine: Engine) -> None:
    held = Held()
    bob = await engine.start(held)
    ada = await engine.start(making(("ask", {"to": bob, "text": "x", "deadline_seconds": 1})), tools=TOOLS)
    assert f"agent/{bob} gave no answer within 1 s" in await engine.ask(ada, "go")
    held.let_go()
    await engine.until_handled(bob, 1)
    assert (await engine.client.status(ada)).dead_letters == 0


async def test_a_question_has_no_longer_than_what_led_to_it(engine: Engine) -> None:
    held = Held()
    bob = await engine.start(held)
    ada = await engine.start(making(("ask", {"to": bob, "text": "x", "deadline_seconds": 600})), tools=TOOLS)
    told = await engine.client.ask(ada, Message(text="go", deadline=soon(2)))
    assert "gave no answer within" in told.text
