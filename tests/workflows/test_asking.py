from __future__ import annotations

import asyncio

import pytest

from aos.errors import AgentExists, AgentNotFound, MessageFailed, NotAnswering, ReplyForgotten, TerminalModelError
from aos.limits import REPLY_INLINE_BYTES
from aos.message import Message
from aos.provider import ModelRequest
from aos.testing import last_text
from engine.engine import Engine
from engine.scripts import Held, echo, said


async def test_an_agent_answers_and_remembers(engine: Engine) -> None:
    def count(request: ModelRequest) -> str:
        return f"{last_text(request)}, item {len(request.items)}"

    ada = await engine.start(count, purpose="count")
    reply = await engine.client.ask(ada, "one")
    assert (reply.text, reply.status, reply.steps, reply.usage.calls) == ("one, item 1", "done", 1, 1)
    assert await engine.ask(ada, "two") == "two, item 3"
    assert "count" in engine.models.requests[ada][0].system


async def test_forty_asks_at_once_are_all_answered(engine: Engine) -> None:
    ada = await engine.start()
    texts = [f"number {number}" for number in range(40)]
    assert await asyncio.gather(*(engine.ask(ada, text) for text in texts)) == [f"echo: {text}" for text in texts]
    assert engine.requests(ada) == 40


async def test_asks_that_wait_are_answered_after_a_rollover(engine: Engine) -> None:
    held = Held(on="first")
    ada = await engine.start(held, rollover_events=50)
    first = asyncio.create_task(engine.ask(ada, "first"))
    await held.reached.wait()
    others = [asyncio.create_task(engine.ask(ada, f"other {number}")) for number in range(20)]
    await engine.until_waiting(ada, 20)
    held.let_go()
    assert await first == "echo: first"
    assert await asyncio.gather(*others) == [f"echo: other {number}" for number in range(20)]
    assert (await engine.client.status(ada)).rollovers >= 1
    assert await engine.failed_tasks(ada) == []


async def test_a_message_that_is_sent_again_is_handled_once(engine: Engine) -> None:
    ada = await engine.start()
    for _ in range(3):
        await engine.send(ada, "hello", id="m1")
    assert await engine.ask(ada, "hello", id="m1") == "echo: hello"
    assert await engine.ask(ada, "hello", id="m1") == "echo: hello"
    assert engine.requests(ada) == 1


async def test_also_when_the_agent_rolled_over_in_between(engine: Engine) -> None:
    ada = await engine.start(rollover_events=50)
    await engine.ask(ada, "hello", id="m1")
    for number in range(12):
        await engine.ask(ada, f"filler {number} " + "x" * 2000)
    assert (await engine.client.status(ada)).rollovers >= 1
    await engine.send(ada, "hello", id="m1")
    assert await engine.ask(ada, "hello", id="m1") == "echo: hello"
    assert engine.requests(ada) == 13


async def test_a_hundred_and_fifty_messages_at_once_all_arrive(engine: Engine) -> None:
    ada = await engine.start(batch=50)
    await asyncio.gather(*(engine.send(ada, f"m{number}") for number in range(150)))
    await engine.until_handled(ada, 150)
    assert (await engine.client.status(ada)).dead_letters == 0


async def test_a_reply_that_is_too_long_for_history_is_read_by_its_reference(engine: Engine) -> None:
    whole = "word " * REPLY_INLINE_BYTES
    ada = await engine.start(lambda request: whole)
    reply = await engine.client.ask(ada, "tell me all")
    assert len(reply.text.encode()) <= REPLY_INLINE_BYTES
    assert await engine.client.text(reply.ref) == whole


async def test_many_long_replies_reach_those_who_wait(engine: Engine) -> None:
    long = "x" * REPLY_INLINE_BYTES
    held = Held(lambda request: long, on="first")
    ada = await engine.start(held, batch=100)
    await engine.send(ada, "first")
    await held.reached.wait()
    asks = [asyncio.create_task(engine.ask(ada, f"m{number}")) for number in range(60)]
    await engine.until_waiting(ada, 60)
    held.let_go()
    assert await asyncio.gather(*asks) == [long] * 60


async def test_whoever_does_not_wait_asks_again_by_the_same_id(engine: Engine) -> None:
    held = Held()
    ada = await engine.start(held)
    accepted = await engine.update(ada, "ask", {"text": "hello", "id": "m1", "wait": False})
    assert accepted["status"] == "pending"
    pending = await engine.client.reply(ada, "m1")
    assert pending
    assert pending.status == "pending"
    held.let_go()
    assert (await engine.client.ask(ada, Message(text="hello", id="m1"))).text == "echo: hello"


async def test_an_ask_that_nobody_waits_for_any_more_is_with_the_agent_all_the_same(engine: Engine) -> None:
    held = Held()
    ada = await engine.start(held)
    with pytest.raises(NotAnswering, match="m1"):
        await engine.client.ask(ada, Message(text="hello", id="m1"), timeout=0.5)
    held.let_go()
    assert (await engine.client.ask(ada, Message(text="hello", id="m1"))).text == "echo: hello"


async def test_a_reply_that_is_nowhere_any_more_is_said_to_be_forgotten(engine: Engine) -> None:
    def fail(request: ModelRequest) -> str:
        if "filler" in last_text(request):
            raise TerminalModelError("scripted", request.model, "no " * 600, "say something else")
        return echo(request)

    held = Held(fail, on="first")
    ada = await engine.start(held, rollover_events=50)
    await engine.send(ada, "first", id="m0")
    await held.reached.wait()
    await engine.send(ada, "second", id="m1", mode="interrupt")
    await engine.until_handled(ada, 2)
    for number in range(12):
        with pytest.raises(MessageFailed):
            await engine.ask(ada, f"filler {number}", id=f"m{number + 2}")
    with pytest.raises(ReplyForgotten):
        await engine.ask(ada, "first", id="m0")


async def test_names_are_taken_once_and_unknown_ones_are_named(engine: Engine) -> None:
    ada = await engine.start()
    with pytest.raises(AgentExists, match=ada):
        await engine.client.start({"name": ada})
    with pytest.raises(AgentNotFound, match="nobody"):
        await engine.client.status("nobody")
    with pytest.raises(AgentNotFound, match="nobody"):
        await engine.send("nobody", "hello")


async def test_a_message_is_stored_once_and_shown_whole(engine: Engine) -> None:
    ada = await engine.start()
    for number in range(5):
        await engine.ask(ada, f"m{number}")
    page = await engine.client.transcript(ada, limit=4, skip=2)
    assert [line.text for line in page.lines] == ["m2", "echo: m2", "m3", "echo: m3"]
    assert (page.skipped, page.more) == (2, True)


async def test_streams_of_two_clients_do_not_disturb_each_other(engine: Engine) -> None:
    from aos.client import AosClient

    ada = await engine.start()
    clients = [AosClient(engine.temporal) for _ in range(3)]
    replies = await asyncio.gather(*(client.ask(ada, f"c{n}") for n, client in enumerate(clients) for _ in range(5)))
    assert len(replies) == 15
    assert sorted(said(engine.models.requests[ada])) == sorted(f"c{n}" for n in range(3) for _ in range(5))
    assert echo(engine.models.requests[ada][0]).startswith("echo: c")


async def test_an_ask_of_a_message_from_a_gap_given_up_is_refused_aloud(engine: Engine) -> None:
    from aos.message import Sequence

    ada = await engine.start(batch=100)

    def numbered(number: int) -> Message:
        return Message(text="x", id=f"n{number}", sequence=Sequence(stream="s", born=1, number=number))

    await asyncio.gather(*(engine.client.send(ada, numbered(number)) for number in range(1, 280, 2)))
    with pytest.raises(MessageFailed, match="send it with a new id"):
        await engine.client.ask(ada, numbered(2))
    assert (await engine.client.dead_letters(ada)).letters[-1].kind == "undeliverable"


async def test_an_ask_that_does_not_wait_returns_when_the_message_is_accepted(engine: Engine) -> None:
    held = Held()
    ada = await engine.start(held)
    reply = await engine.client.ask(ada, Message(text="hello", id="later", wait=False))
    assert reply.status == "pending"
    held.let_go()
    assert (await engine.client.ask(ada, Message(text="hello", id="later"))).text == "echo: hello"
    assert engine.requests(ada) == 1
