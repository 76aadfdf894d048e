"""What order messages are handled in, and what those do that come during a turn."""

from __future__ import annotations

import asyncio

import pytest

from aos.conversation import ToolItem
from aos.errors import MessageFailed, TerminalModelError
from aos.message import Message, Mode
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls, last_text
from engine import tools
from engine.engine import Engine
from engine.scripts import Held, echo, said


async def busy(engine: Engine, **spec: object) -> tuple[str, Held]:
    """Start an agent that is at work on the message `first`."""
    held = Held(on="first")
    name = await engine.start(held, **spec)
    await engine.send(name, "first", id="first")
    await held.reached.wait()
    return name, held


async def test_the_most_urgent_comes_first_and_equals_keep_their_order(engine: Engine) -> None:
    ada, held = await busy(engine)
    for text, priority in (("a", 3), ("b", 5), ("c", 1), ("d", 3), ("e", 1)):
        await engine.send(ada, text, priority=priority)
    held.let_go()
    await engine.until_handled(ada, 6)
    assert said(engine.models.requests[ada]) == ["first", "c", "e", "a", "d", "b"]


async def test_an_interruption_ends_the_model_call_under_way(engine: Engine) -> None:
    ada, _ = await busy(engine)
    waiting = asyncio.create_task(engine.client.ask(ada, Message(text="first", id="first")))
    assert await engine.ask(ada, "stop that", mode="interrupt") == "echo: stop that"
    interrupted = await waiting
    assert (interrupted.status, interrupted.text) == ("interrupted", "")
    heard = engine.models.requests[ada][-1].items
    assert [item.kind for item in heard] == ["user", "note", "user"]
    assert heard[0].text == "first"


async def test_an_interruption_cancels_a_tool_and_the_model_is_told(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        return calls(("hold", {"bench": ada})) if last_text(request) == "hold" else echo(request)

    ada = await engine.start(script, tools=["workshop/hold"])
    running = tools.held.setdefault(ada, asyncio.Event())
    await engine.send(ada, "hold", id="m1")
    await running.wait()
    assert await engine.ask(ada, "no more", mode="interrupt") == "echo: no more"
    results = [item for item in engine.models.requests[ada][-1].items if isinstance(item, ToolItem)]
    assert [(item.name, item.error) for item in results] == [("hold", True)]
    assert "cancelled" in results[0].text
    assert (await engine.client.status(ada)).failed == 0


async def test_a_failure_after_an_interruption_leaves_every_call_with_its_result(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        match last_text(request):
            case "hold":
                return calls(("hold", {"bench": ada}))
            case "bad":
                raise TerminalModelError("scripted", ada, "filtered", "say it otherwise")
            case _:
                return echo(request)

    ada = await engine.start(script, tools=["workshop/hold"])
    running = tools.held.setdefault(ada, asyncio.Event())
    await engine.send(ada, "hold")
    await running.wait()
    with pytest.raises(MessageFailed, match="filtered"):
        await engine.ask(ada, "bad", mode="interrupt")
    await engine.ask(ada, "good")
    kinds = [item.kind for item in engine.models.requests[ada][-1].items]
    assert kinds == ["user", "assistant", "tool", "note", "note", "user"]


async def test_a_steering_message_is_read_at_the_next_step(engine: Engine) -> None:
    go = asyncio.Event()
    thinking = asyncio.Event()

    async def script(request: ModelRequest) -> ModelResponse | str:
        if len(request.items) == 1:
            thinking.set()
            await go.wait()
            return calls(("hammer", {"nail": "one"}))
        return " + ".join(item.text for item in request.items if item.kind == "user")

    ada = await engine.start(script, tools=["workshop/hammer"])
    first = asyncio.create_task(engine.ask(ada, "build"))
    await thinking.wait()
    second = asyncio.create_task(engine.ask(ada, "use oak", mode="steer"))
    await engine.until_waiting(ada, 1)
    go.set()
    assert await first == await second == "build + use oak"
    assert engine.requests(ada) == 2


async def test_messages_that_nobody_waits_for_are_taken_together(engine: Engine) -> None:
    ada, held = await busy(engine, batch=3)
    for number in range(7):
        await engine.send(ada, f"m{number}")
    held.let_go()
    await engine.until_handled(ada, 8)
    assert engine.requests(ada) == 4
    assert [item.text for item in engine.models.requests[ada][1].items][-3:] == ["m0", "m1", "m2"]


async def test_each_of_a_batch_that_fails_is_a_dead_letter_of_its_own(engine: Engine) -> None:
    def script(request: ModelRequest) -> str:
        if last_text(request) == "first":
            return "ok"
        raise TerminalModelError("scripted", "x", "filtered", "say it otherwise")

    held = Held(script, on="first")
    ada = await engine.start(held, batch=3)
    await engine.send(ada, "first")
    await held.reached.wait()
    await engine.send(ada, "from bob", id="b", sender="bob")
    await engine.send(ada, "from eve", id="e", sender="eve")
    held.let_go()
    letters = await engine.until(lambda: engine.client.dead_letters(ada), lambda letters: letters.count == 2)
    assert [(letter.id, letter.sender, letter.text) for letter in letters.letters] == [
        ("b", "bob", "from bob"),
        ("e", "eve", "from eve"),
    ]


async def test_a_quiet_message_is_read_with_the_next_that_wakes(engine: Engine) -> None:
    ada = await engine.start()
    await engine.ask(ada, "hello")
    await engine.send(ada, "by the way", wake=False)
    await engine.until_waiting(ada, 1)
    assert engine.requests(ada) == 1
    await engine.ask(ada, "and now")
    assert [item.text for item in engine.models.requests[ada][1].items][-2:] == ["by the way", "and now"]
    assert (await engine.client.status(ada)).waiting == 0


async def test_large_messages_interrupting_each_other_do_not_grow_beyond_a_payload(engine: Engine) -> None:
    held = Held()
    ada = await engine.start(held)
    modes: list[Mode] = ["queue", "interrupt", "interrupt", "interrupt", "interrupt", "interrupt"]
    for count, mode in enumerate(modes, start=1):
        await engine.send(ada, f"{count} " + "\x01" * 160_000, mode=mode)
        await engine.until(lambda: engine.client.status(ada), lambda status, count=count: status.turns == count)
    held.let_go()
    assert (await engine.ask(ada, "short")).startswith("echo: short")
    assert await engine.failed_tasks(ada) == []
