"""A mailbox that is full refuses, tells when to come back, and loses nothing."""

from __future__ import annotations

import asyncio

import pytest

from aos.errors import MailboxFull
from aos.message import Message
from aos.names import agent_workflow_id
from engine.engine import Engine
from engine.scripts import Held
from engine.talkers import replies_to


async def full(engine: Engine) -> tuple[str, Held]:
    """Return an agent whose mailbox of two is full while it works, and what holds its model."""
    held = Held()
    ada = await engine.start(held, mailbox_limit=2)
    await engine.send(ada, "first")
    await held.reached.wait()
    for number in range(2):
        await engine.send(ada, f"waits {number}", id=f"w{number}")
    await engine.until_waiting(ada, 2)
    return ada, held


async def test_who_asks_is_refused_and_told_when_to_come_back(engine: Engine) -> None:
    ada, held = await full(engine)
    with pytest.raises(MailboxFull, match="come back in") as caught:
        await engine.ask(ada, "one more")
    assert (caught.value.name, caught.value.retry_after >= 1) == (ada, True)
    held.let_go()
    await engine.until_handled(ada, 3)
    assert await engine.ask(ada, "one more") == "echo: one more"


async def test_who_sends_and_wants_to_know_is_refused_and_told_when_to_come_back(engine: Engine) -> None:
    ada, held = await full(engine)
    with pytest.raises(MailboxFull, match="come back in") as caught:
        await engine.client.send(ada, Message(text="one more", id="m9"), confirm=True)
    assert caught.value.retry_after >= 1
    assert (await engine.client.status(ada)).dead_letters == 0
    held.let_go()
    await engine.until_handled(ada, 3)
    assert await engine.client.send(ada, Message(text="one more", id="m9"), confirm=True) == "m9"
    await engine.until_handled(ada, 4)


async def test_who_sends_and_wants_to_know_returns_when_the_agent_has_the_message(engine: Engine) -> None:
    ada = await engine.start()
    await engine.client.pause(ada)
    for number in range(5):
        sent = await engine.client.send(ada, f"message {number}", confirm=True)
        assert [entry.id for entry in (await engine.client.inbox(ada)).entries][-1] == sent
    await engine.client.resume(ada)
    await engine.until_handled(ada, 5)


async def test_a_message_that_is_there_already_may_be_asked_for_again(engine: Engine) -> None:
    ada, held = await full(engine)
    again = asyncio.create_task(engine.client.ask(ada, Message(text="waits 1", id="w1")))
    held.let_go()
    assert (await again).text == "echo: waits 1"


async def test_an_agent_that_asks_is_answered_and_may_send_the_same_again(engine: Engine) -> None:
    other = await engine.start()
    ada, held = await full(engine)
    question = Message(text="question", id="q1", reply_to=agent_workflow_id(other), kind="question")
    await engine.handle(ada).signal("send", question)
    (refused,) = await engine.until(lambda: replies_to(engine, other), lambda replies: len(replies) == 1)
    assert (refused.id, refused.status, refused.retry_after >= 1) == ("q1", "failed", True)
    assert "mailbox" in refused.error
    held.let_go()
    await engine.until_handled(ada, 3)
    await engine.handle(ada).signal("send", question)
    told = await engine.until(lambda: replies_to(engine, other), lambda replies: len(replies) == 2)
    assert (told[1].status, told[1].text) == ("done", "echo: question")


async def test_what_is_sent_becomes_a_dead_letter_that_can_be_replayed(engine: Engine) -> None:
    ada, held = await full(engine)
    await engine.send(ada, "too much", id="m9")
    letters = await engine.until(lambda: engine.client.dead_letters(ada), lambda letters: letters.count == 1)
    assert (letters.letters[0].id, letters.letters[0].replayable) == ("m9", True)
    assert "full" in letters.letters[0].reason
    held.let_go()
    await engine.until_handled(ada, 3)
    settled = await engine.update(ada, "replay_letters", {"all": True})
    assert list(settled["done"]) == ["m9"]
    await engine.until_handled(ada, 4)


async def test_interruptions_and_the_agents_own_timers_are_not_refused(engine: Engine) -> None:
    ada, held = await full(engine)
    await engine.send(ada, "stop that", mode="interrupt")
    await engine.until(lambda: engine.client.status(ada), lambda status: status.handled == 1)
    held.let_go()
    await engine.until_handled(ada, 4)
    assert (await engine.client.status(ada)).dead_letters == 0


async def test_the_agent_goes_on_and_its_workflow_never_fails_under_a_flood(engine: Engine) -> None:
    ada, held = await full(engine)
    await asyncio.gather(*(engine.send(ada, f"flood {number}") for number in range(50)))
    held.let_go()
    status = await engine.until(lambda: engine.client.status(ada), lambda status: status.handled == 3)
    assert (status.dead_letters, status.waiting) == (50, 0)
    assert await engine.failed_tasks(ada) == []
