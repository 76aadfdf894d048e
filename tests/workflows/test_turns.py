"""What a turn makes of models that call tools, talk nonsense or fail."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import pytest

from aos.conversation import ToolCall
from aos.errors import InvalidInput, MessageFailed, RetryableModelError, TerminalModelError
from aos.message import Message
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls, last_text
from engine import tools
from engine.engine import Engine
from engine.scripts import Held, echo, in_order

SCHEMA = {"type": "object", "properties": {"ships": {"type": "integer"}}, "required": ["ships"]}


def results(request: ModelRequest) -> list[str]:
    return [item.text for item in request.items if item.kind == "tool"]


def refused(request: ModelRequest) -> str:
    raise TerminalModelError("scripted", "x", "the key was refused", "set another")


async def test_tools_run_side_by_side_and_their_results_come_in_order(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        if len(request.items) == 1:
            return calls(("hammer", {"nail": "a"}), ("current_time", {}), ("hammer", {"nail": "b"}))
        return " | ".join(results(request))

    ada = await engine.start(script, tools=["workshop/hammer", "current_time"])
    reply = await engine.client.ask(ada, "build")
    first, time, last = reply.text.split(" | ")
    assert (first, last, reply.steps) == ("hit a", "hit b", 2)
    assert "UTC" in time
    assert len(set(tools.runs)) == len(tools.runs)


async def test_a_long_result_is_shown_to_the_model_in_full_measure_and_not_kept_in_history(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        return calls(("write", {"size": 10_000})) if len(request.items) == 1 else str(len(results(request)[0]))

    ada = await engine.start(script, tools=["workshop/write"])
    assert await engine.ask(ada, "write") == "10000"
    assert sum(event.ByteSize() for event in await engine.events(ada)) < 10_000


async def test_an_unknown_tool_and_malformed_arguments_are_told_to_the_model(engine: Engine) -> None:
    broken = ToolCall(id="c2", name="hammer", malformed="{nail: ")
    wrong = ToolCall(id="c3", name="hammer", arguments={"screw": 1})
    unknown = ToolCall(id="c1", name="drill")

    def script(request: ModelRequest) -> ModelResponse | str:
        if len(request.items) == 1:
            return ModelResponse(tool_calls=[unknown, broken, wrong], finish_reason="tool_calls")
        return " | ".join(results(request))

    ada = await engine.start(script, tools=["workshop/hammer"])
    about_unknown, about_broken, about_wrong = (await engine.ask(ada, "build")).split(" | ")
    assert "there is no tool 'drill'" in about_unknown
    assert "not a JSON object" in about_broken
    assert "nail" in about_wrong


async def test_a_reply_that_fits_the_schema_comes_as_json(engine: Engine) -> None:
    ada = await engine.start(lambda request: '{"ships": 7}', output_schema=SCHEMA)
    assert (await engine.client.ask(ada, "count")).output == {"ships": 7}
    assert engine.models.requests[ada][0].output_schema == SCHEMA


async def test_a_reply_that_does_not_fit_is_asked_for_again(engine: Engine) -> None:
    ada = await engine.start(in_order("many", '{"ships": "many"}', '```json\n{"ships": 7}\n```'))
    reply = await engine.client.ask(ada, Message(text="count", output_schema=SCHEMA))
    assert (reply.output, reply.steps) == ({"ships": 7}, 3)
    notes = [item.text for item in engine.models.requests[ada][-1].items if item.kind == "note"]
    assert ["no JSON" in notes[0], "fit the schema" in notes[1]] == [True, True]


async def test_a_model_that_never_fits_the_schema_ends_at_the_step_limit(engine: Engine) -> None:
    ada = await engine.start(lambda request: "many", output_schema=SCHEMA, max_steps=3)
    with pytest.raises(MessageFailed, match="no answer after 3 model calls"):
        await engine.ask(ada, "count", id="m1")
    assert [letter.id for letter in (await engine.client.dead_letters(ada)).letters] == ["m1"]


async def test_a_message_takes_at_most_so_many_steps(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse:
        return calls(("hammer", {"nail": str(len(request.items))}))

    ada = await engine.start(script, tools=["workshop/hammer"], max_steps=4)
    with pytest.raises(MessageFailed, match="raise max_steps"):
        await engine.ask(ada, "build")
    assert engine.requests(ada) == 4


async def test_a_model_that_repeats_a_call_is_told_and_then_stopped(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse:
        return calls(("hammer", {"nail": ada}))

    ada = await engine.start(script, tools=["workshop/hammer"], max_repeats=2)
    before = len(tools.runs)
    with pytest.raises(MessageFailed, match="5 times with the same arguments"):
        await engine.ask(ada, "build")
    assert len(tools.runs) - before == 2
    told = results(engine.models.requests[ada][-1])
    assert told[:2] == [f"hit {ada}"] * 2
    assert all("already" in text for text in told[2:])


async def test_a_model_that_heeds_the_warning_goes_on(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        warned = any("already" in text for text in results(request))
        return "done" if warned else calls(("hammer", {"nail": "x"}))

    ada = await engine.start(script, tools=["workshop/hammer"], max_repeats=1)
    assert await engine.ask(ada, "build") == "done"


async def test_a_tool_without_its_permission_is_refused_at_the_start(engine: Engine) -> None:
    handle = await engine.start_by_hand(
        name := engine.name(), {"name": name, "model": f"scripted:{name}", "tools": ["workshop/saw"]}
    )
    with pytest.raises(Exception, match=r"(?s).*") as failed:
        await handle.result()
    assert "needs the permission 'saw'" in str(failed.value.__cause__)
    ada = await engine.start(tools=["workshop/saw"], permissions=["saw"])
    assert await engine.ask(ada, "hello") == "echo: hello"
    with pytest.raises(InvalidInput, match="saw"):
        await engine.client.configure(ada, {"permissions": []})


async def test_a_message_that_fails_leaves_no_trace_and_the_next_is_handled(engine: Engine) -> None:
    def script(request: ModelRequest) -> str:
        return refused(request) if last_text(request) == "poison" else echo(request)

    ada = await engine.start(script)
    await engine.ask(ada, "good")
    with pytest.raises(MessageFailed, match="the key was refused"):
        await engine.ask(ada, "poison", id="m1", sender="bob")
    assert await engine.ask(ada, "better") == "echo: better"
    last = engine.models.requests[ada][-1].items
    assert [item.kind for item in last] == ["user", "assistant", "note", "user"]
    letter = (await engine.client.dead_letters(ada)).letters[0]
    assert (letter.id, letter.sender, letter.text, letter.kind) == ("m1", "bob", "poison", "failed")
    assert "poison" in await engine.client.text(letter.ref)
    status = await engine.client.status(ada)
    assert (status.handled, status.failed, status.dead_letters) == (2, 1, 1)
    with pytest.raises(MessageFailed, match="the key was refused"):
        await engine.ask(ada, "poison", id="m1", sender="bob")


async def test_a_failure_after_tools_were_used_says_so_to_the_next_turn(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        if last_text(request) == "again":
            return echo(request)
        return refused(request) if results(request) else calls(("hammer", {"nail": "x"}))

    ada = await engine.start(script, tools=["workshop/hammer"])
    with pytest.raises(MessageFailed):
        await engine.ask(ada, "build")
    await engine.ask(ada, "again")
    note, user = engine.models.requests[ada][-1].items
    assert "after 1 tool call" in note.text
    assert user.text == "again"


async def test_a_hundred_failures_in_a_row_do_not_pile_up(engine: Engine) -> None:
    def script(request: ModelRequest) -> str:
        return refused(request) if last_text(request).startswith("bad") else echo(request)

    ada = await engine.start(script, batch=1)
    for number in range(100):
        await engine.send(ada, f"bad {number} " + "x" * 3000)
    await engine.until(lambda: engine.client.status(ada), lambda status: status.failed == 100)
    assert await engine.ask(ada, "good") == "echo: good"
    assert (await engine.client.dead_letters(ada)).count == 100
    assert await engine.failed_tasks(ada) == []


async def test_a_model_is_asked_again_after_the_time_that_it_named(engine: Engine) -> None:
    busy = RetryableModelError("scripted", "x", "too many requests", "wait", retry_after=0.3)
    times: list[float] = []

    def script(request: ModelRequest) -> str:
        times.append(asyncio.get_running_loop().time())
        if len(times) < 3:
            raise busy
        return "at last"

    ada = await engine.start(script)
    assert await engine.ask(ada, "hello") == "at last"
    assert [later - earlier >= 0.3 for earlier, later in pairwise(times)] == [True, True]
    assert times[2] - times[0] < 3


async def test_a_model_that_stays_away_longer_than_the_agents_patience_fails_the_message(engine: Engine) -> None:
    def script(request: ModelRequest) -> str:
        if last_text(request) == "hello":
            raise RetryableModelError("scripted", "x", "too many requests", "wait", retry_after=0.2)
        return echo(request)

    ada = await engine.start(script, patience="4s")
    with pytest.raises(MessageFailed, match="too many requests"):
        await engine.ask(ada, "hello")
    assert engine.requests(ada) >= 2
    assert await engine.ask(ada, "better") == "echo: better"


async def test_the_next_model_of_the_chain_answers_when_the_first_does_not(engine: Engine) -> None:
    second = engine.name()
    ada = await engine.start(refused, model=[f"scripted:{second}-down", f"scripted:{second}"])
    engine.models.scripts[f"{second}-down"] = refused
    await engine.ask(ada, "hello")
    assert [spend.model for spend in (await engine.client.status(ada)).spend] == [f"scripted:{second}"]


async def test_a_streamed_reply_comes_in_parts_and_then_whole(engine: Engine) -> None:
    held = Held()
    ada = await engine.start(held)
    held.let_go()
    parts = [part async for part in engine.client.ask_streaming(ada, "one two three")]
    assert parts[-1].text == "echo: one two three"


async def test_what_the_agent_does_is_said_in_words(engine: Engine) -> None:
    held = Held()
    ada = await engine.start(held)
    asked = asyncio.create_task(engine.ask(ada, "how many ships?", sender="bob"))
    await held.reached.wait()
    status = await engine.client.status(ada)
    assert (status.condition, status.doing) == ("working", "Working on “how many ships?” from bob: thinking, step 1")
    held.let_go()
    await asked
    status = await engine.client.status(ada)
    assert (status.condition, status.doing) == ("waiting", "Waiting for a message; 1 handled, 0 failed")
    assert json.loads(status.model_dump_json())["waiting"] == 0
