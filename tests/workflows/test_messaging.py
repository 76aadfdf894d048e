"""Agents that speak to each other: what is sent, asked, delegated and handed on."""

from __future__ import annotations

import asyncio
from typing import Any

from aos.message import CHAIN, Message, Reply
from aos.names import agent_workflow_id
from aos.store import ref_of
from aos.testing import last_text
from engine.engine import Engine
from engine.scripts import Held, said
from engine.talkers import TOOLS, Call, making, replies_to


async def test_what_is_sent_arrives_with_its_sender_and_what_led_to_it(engine: Engine) -> None:
    bob = await engine.start()
    ada = await engine.start(
        making(("send", {"to": bob, "text": "hello", "priority": 1, "data": {"ship": 7}})), tools=TOOLS
    )
    told = await engine.ask(ada, "go", id="m1")
    assert told == f"sent to agent/{bob}, where it is read in time; nobody answers it"
    await engine.until_handled(bob, 1)
    (request,) = engine.models.requests[bob]
    assert "hello" in last_text(request) and '{"ship": 7}' in last_text(request)
    (line, _) = (await engine.client.recent(bob)).lines
    assert line.who == f"agent/{ada}"
    assert (await engine.client.status(bob)).handled == 1


async def test_a_question_is_answered_and_costs_the_one_who_asks_one_turn(engine: Engine) -> None:
    bob = await engine.start()
    ada = await engine.start(making(("ask", {"to": f"agent/{bob}", "text": "which ship?"})), tools=TOOLS)
    assert await engine.ask(ada, "go") == "echo: which ship?"
    status = await engine.client.status(ada)
    assert (status.turns, status.handled, status.waits_for, status.dead_letters) == (1, 1, [], 0)
    assert await engine.failed_tasks(ada) == await engine.failed_tasks(bob) == []


async def test_several_questions_and_a_tool_of_one_step_run_side_by_side(engine: Engine) -> None:
    slow, quick = Held(), Held()
    bob, eve = await engine.start(slow), await engine.start(quick)
    wanted: list[Call] = [
        ("ask", {"to": bob, "text": "one"}),
        ("hammer", {"nail": "x"}),
        ("ask", {"to": eve, "text": "two"}),
    ]
    ada = await engine.start(making(*wanted), tools=[*TOOLS, "workshop/hammer"])
    asked = asyncio.create_task(engine.ask(ada, "go"))
    await slow.reached.wait()
    await quick.reached.wait()
    status = await engine.client.status(ada)
    assert {wait.to for wait in status.waits_for} == {f"agent/{bob}", f"agent/{eve}"}
    assert status.doing.startswith("Waiting for agent/") and status.doing.endswith("answers")
    quick.let_go()
    slow.let_go()
    assert await asked == "echo: one | hit x | echo: two"


async def test_mistakes_in_an_address_are_told_to_the_model_with_the_way_out(engine: Engine) -> None:
    name = engine.name()
    wanted: list[Call] = [
        ("ask", {"to": name, "text": "x"}),
        ("send", {"to": "topic/ships", "text": "x"}),
        ("send", {"to": "no such/name", "text": "x"}),
        ("ask", {"to": "agent/nobody-of-that-name", "text": "x"}),
        ("send", {"text": "x"}),
        ("handoff", {"to": "bob"}),
    ]
    engine.models.scripts[name] = making(*wanted)
    engine.models.requests[name] = []
    await engine.start_by_hand(name, {"name": name, "model": f"scripted:{name}", "tools": TOOLS})
    told = (await engine.ask(name, "go")).split(" | ")
    assert [text.startswith("error: ") for text in told] == [True] * 6
    for text, way_out in zip(told, ("yourself", "topic", "agent/<name>", "start it first", "to:", "ask"), strict=True):
        assert way_out in text, text


async def test_what_is_sent_to_nobody_becomes_a_dead_letter_of_the_sender(engine: Engine) -> None:
    ada = await engine.start(making(("send", {"to": "nobody-of-that-name", "text": "hello"})), tools=TOOLS)
    await engine.ask(ada, "go")
    letters = await engine.until(lambda: engine.client.dead_letters(ada), lambda letters: letters.count == 1)
    letter = letters.letters[0]
    assert (letter.kind, letter.text, letter.replayable) == ("undeliverable", "hello", True)
    assert "no agent named 'nobody-of-that-name' is alive" in letter.reason


async def test_a_question_that_would_close_a_cycle_is_refused_with_the_cycle_named(engine: Engine) -> None:
    ada_name, bob_name = engine.name(), engine.name()
    for name, other in ((ada_name, bob_name), (bob_name, ada_name)):
        engine.models.scripts[name] = making(("ask", {"to": other, "text": "go"}))
        engine.models.requests[name] = []
        await engine.start_by_hand(name, {"name": name, "model": f"scripted:{name}", "tools": TOOLS})
    told = await engine.ask(ada_name, "go")
    assert f"agent/{ada_name} → agent/{bob_name} → agent/{ada_name}" in told


async def test_two_who_ask_each_other_at_once_are_found_and_one_gives_way(engine: Engine) -> None:
    names = [engine.name(), engine.name()]
    held = [Held(making(("ask", {"to": other, "text": "help"})), on="go") for other in names[::-1]]
    for name, script in zip(names, held, strict=True):
        engine.models.scripts[name] = script
        engine.models.requests[name] = []
        await engine.start_by_hand(name, {"name": name, "model": f"scripted:{name}", "tools": TOOLS})
    asked = [asyncio.create_task(engine.ask(name, "go")) for name in names]
    for script in held:
        await script.reached.wait()
    for script in held:
        script.let_go()
    async with asyncio.timeout(30):
        told = await asyncio.gather(*asked)
    given_up = [text for text in told if "all wait for each other" in text]
    answered = [text for text in told if text == "echo: help"]
    assert (len(given_up), len(answered)) == (1, 1), told
    assert (
        f"agent/{names[0]} → agent/{names[1]}" in given_up[0] or f"agent/{names[1]} → agent/{names[0]}" in given_up[0]
    )
    for name in names:
        assert (await engine.client.status(name)).dead_letters == 0


async def test_a_question_to_one_who_stops_or_dies_ends_with_a_reason(engine: Engine) -> None:
    held = Held()
    bob = await engine.start(held)
    ada = await engine.start(making(("ask", {"to": bob, "text": "x"})), tools=TOOLS)
    asked = asyncio.create_task(engine.ask(ada, "go"))
    await held.reached.wait()
    await engine.handle(bob).signal("stop", {"when": "now"})
    assert f"agent/{bob} was stopped first" in await asked


async def test_a_question_whose_recipient_is_killed_is_given_up_when_that_is_found_out(engine: Engine) -> None:
    held = Held()
    bob = await engine.start(held)
    ada = await engine.start(making(("ask", {"to": bob, "text": "x"})), tools=TOOLS)
    asked = asyncio.create_task(engine.ask(ada, "go"))
    await held.reached.wait()
    await engine.handle(bob).terminate("killed")
    assert "was stopped before it answered" in await asked


async def test_work_is_delegated_to_the_least_loaded_of_those_who_have_the_skill(engine: Engine) -> None:
    skill = f"skill-{engine.name()}"
    held = Held()
    busy = await engine.start(held, skills=[skill])
    paused, free = await engine.start(skills=[skill, "other"]), await engine.start(skills=[skill])
    await engine.client.pause(paused)
    await engine.send(busy, "work")
    await held.reached.wait()
    await _until_found(engine, skill, 3)
    ada = await engine.start(
        making(("delegate", {"skill": skill, "text": "dig"}), ("delegate", {"skill": "none such", "text": "dig"})),
        tools=TOOLS,
    )
    told = (await engine.ask(ada, "go")).split(" | ")
    assert told[0] == "echo: dig"
    assert "no agent that can take work has the skill 'none such'" in told[1]
    assert said(engine.models.requests[free]) == ["dig"]
    assert engine.requests(paused) == 0


async def test_work_is_taken_up_by_the_next_when_the_first_takes_too_long(engine: Engine) -> None:
    skill = f"skill-{engine.name()}"
    held = Held()
    bob = await engine.start(held, skills=[skill])
    await _until_found(engine, skill, 1)
    ada = await engine.start(
        making(("delegate", {"skill": skill, "text": "dig", "deadline_seconds": 1.5})), tools=TOOLS
    )
    asked = asyncio.create_task(engine.ask(ada, "go"))
    await held.reached.wait()
    await engine.start(skills=[skill])
    await _until_found(engine, skill, 2)
    assert await asked == "echo: dig"
    held.let_go()
    await engine.until_handled(bob, 1)
    assert (await engine.client.status(ada)).dead_letters == 0, "a late answer is no dead letter"


async def _until_found(engine: Engine, skill: str, count: int) -> None:
    async def found() -> int:
        query = f"AosSkills = '{skill}' AND ExecutionStatus = 'Running'"
        return (await engine.temporal.count_workflows(query)).count

    await engine.until(found, lambda number: number >= count)


class Team:
    """What a team would be told: replies come to an agent that waits for none, and become its dead letters."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self.address = agent_workflow_id(name)
        self._name = name

    async def asks(self, member: str, **fields: Any) -> None:
        message = Message(
            text="go", kind="task", reply_to=self.address, task="team/news#t1", id=f"t1/1/{member}", **fields
        )
        await self._engine.handle(member).signal("send", message)

    async def reply(self) -> Reply:
        (reply,) = await self._engine.until(
            lambda: replies_to(self._engine, self._name), lambda replies: len(replies) == 1
        )
        return reply


async def test_a_hand_off_ends_the_turn_and_is_told_in_the_reply(engine: Engine) -> None:
    team = Team(engine, await engine.start())
    wanted: list[Call] = [("hammer", {"nail": "x"}), ("handoff", {"to": "bob", "text": "your turn"})]
    member = await engine.start(making(*wanted), tools=[*TOOLS, "workshop/hammer"])
    await team.asks(member)
    reply = await team.reply()
    assert (reply.handoff, reply.text, reply.called) == ("bob", "your turn", ["hammer", "handoff"])
    assert engine.requests(member) == 1
    assert await engine.ask(member, "next") == "echo: next"
    kinds = [item.kind for item in engine.models.requests[member][-1].items]
    assert kinds == ["user", "assistant", "tool", "tool", "user"]


async def test_finish_ends_the_turn_and_is_told_among_what_was_called(engine: Engine) -> None:
    team = Team(engine, await engine.start())
    member = await engine.start(making(("finish", {"text": "all done"})), tools=TOOLS)
    await team.asks(member)
    reply = await team.reply()
    assert (reply.status, reply.text, reply.handoff, reply.called) == ("done", "all done", "", ["finish"])
    assert await engine.ask(member, "go") == "all done", "it ends a turn that nobody's task is, too"


async def test_a_turn_that_fails_is_told_to_who_waits(engine: Engine) -> None:
    team = Team(engine, await engine.start())
    member = await engine.start(making(("hammer", {"nail": "x"})), tools=["workshop/hammer"], max_steps=1)
    await team.asks(member)
    reply = await team.reply()
    assert (reply.status, reply.called) == ("failed", ["hammer"])
    assert "max_steps" in reply.error


async def test_a_chain_of_messages_has_an_end(engine: Engine) -> None:
    bob = await engine.start()
    ada = await engine.start(making(("send", {"to": bob, "text": "x"}), ("ask", {"to": bob, "text": "x"})), tools=TOOLS)
    told = await engine.ask(ada, "go", causation=[f"m{number}" for number in range(CHAIN)])
    assert told.count(f"{CHAIN} messages led to this one") == 2
    assert (await engine.client.status(bob)).handled == 0


async def test_a_question_survives_rollovers_of_the_one_who_asks(engine: Engine) -> None:
    held = Held()
    bob = await engine.start(held)
    ada = await engine.start(
        making(("ask", {"to": bob, "text": "which ship?"}), ("hammer", {"nail": "x"})),
        tools=[*TOOLS, "workshop/hammer"],
        rollover_events=50,
    )
    await engine.send(ada, "go", id="m1")
    await held.reached.wait()
    for number in range(40):
        await engine.send(ada, f"meanwhile {number}", wake=False)
    await engine.until(lambda: engine.client.status(ada), lambda status: status.rollovers >= 1)
    assert [wait.to for wait in (await engine.client.status(ada)).waits_for] == [f"agent/{bob}"]
    held.let_go()
    assert (await engine.client.ask(ada, Message(text="go", id="m1"))).text == "echo: which ship? | hit x"
    assert engine.requests(bob) == 1
    assert await engine.failed_tasks(ada) == []
    assert (await engine.client.status(ada)).dead_letters == 0


async def test_an_interruption_ends_the_wait_and_the_late_answer_is_dropped(engine: Engine) -> None:
    held = Held()
    bob = await engine.start(held)
    ada = await engine.start(making(("ask", {"to": bob, "text": "x"})), tools=TOOLS)
    await engine.send(ada, "go")
    await held.reached.wait()
    assert await engine.ask(ada, "stop that", mode="interrupt") == "echo: stop that"
    held.let_go()
    await engine.until_handled(bob, 1)
    status = await engine.client.status(ada)
    assert (status.dead_letters, status.waits_for, status.handled) == (0, [], 2)


async def test_a_reply_that_nobody_waits_for_is_a_dead_letter_and_one_that_cannot_be_read_too(engine: Engine) -> None:
    ada = await engine.start()
    await engine.handle(ada).signal("reply", Reply(id="never asked", status="done", text="42"))
    for signal in ("reply", "probe", "break"):
        await engine.signal_bytes(ada, signal, b'{"nonsense": ')
    letters = await engine.until(lambda: engine.client.dead_letters(ada), lambda letters: letters.count == 4)
    assert [letter.kind for letter in letters.letters] == ["undeliverable", *["unreadable"] * 3]
    assert "nobody here waits for that" in letters.letters[0].reason
    assert await engine.ask(ada, "well?") == "echo: well?"


async def test_what_a_message_carries_is_read_by_the_model(engine: Engine) -> None:
    ada = await engine.start()
    long, ref = b"x" * 20_000, "0" * 48
    await engine.store.save([long])
    parts: list[object] = [
        {"type": "data", "name": "cargo", "data": {"tons": 7}},
        {"type": "blob", "ref": ref_of(long), "name": "log"},
        {"type": "blob", "ref": ref},
        {"type": "blob", "ref": ref, "media_type": "image/png"},
    ]
    await engine.client.ask(ada, Message.model_validate({"text": "read", "parts": parts}))
    text = last_text(engine.models.requests[ada][0])
    assert '[data cargo]\n{"tons": 7}' in text
    assert "read_result(ref=" in text and "of 20000 bytes" in text
    assert "holds nothing under" in text and "it is no text" in text
