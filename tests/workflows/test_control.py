"""Pausing, stopping, cancelling and configuring."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import CancelledError

from aos.control import Stop
from aos.errors import AgentNotFound, AgentStopped, InvalidInput
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls
from engine import tools
from engine.engine import Engine
from engine.scripts import Held, echo, said


async def test_a_paused_agent_takes_no_step_until_it_is_resumed(engine: Engine) -> None:
    ada = await engine.start()
    await engine.ask(ada, "hello")
    await engine.client.pause(ada)
    asked = asyncio.create_task(engine.ask(ada, "are you there?"))
    await engine.until_waiting(ada, 1)
    status = await engine.client.status(ada)
    assert (status.condition, status.doing) == ("paused", "Paused, 1 waiting")
    assert [entry.preview for entry in (await engine.client.inbox(ada)).entries] == ["are you there?"]
    assert engine.requests(ada) == 1
    await engine.client.resume(ada)
    assert await asked == "echo: are you there?"


async def test_a_pause_lets_the_step_under_way_end_and_takes_the_turn_up_again(engine: Engine) -> None:
    held = Held(lambda request: calls(("hammer", {"nail": "1"})) if len(request.items) == 1 else echo(request))
    ada = await engine.start(held, tools=["workshop/hammer"])
    asked = asyncio.create_task(engine.ask(ada, "build"))
    await held.reached.wait()
    await engine.client.pause(ada)
    held.let_go()
    await engine.until(lambda: engine.client.recent(ada), lambda view: view.lines[-1].kind == "tool")
    assert engine.requests(ada) == 1
    await engine.client.resume(ada)
    assert await asked == "echo: build"


async def test_stopping_lets_the_turn_end_and_lists_what_was_not_delivered(engine: Engine) -> None:
    held = Held(on="first")
    ada = await engine.start(held)
    first = asyncio.create_task(engine.ask(ada, "first"))
    await held.reached.wait()
    waiting = asyncio.create_task(engine.ask(ada, "second", id="m2"))
    await engine.until_waiting(ada, 1)
    await engine.send(ada, "third", id="m3")
    await engine.send(ada, "quiet", id="m4", wake=False)
    await engine.until_waiting(ada, 3)
    stopping = asyncio.create_task(engine.client.stop(ada, Stop(reason="the season is over")))
    await engine.until(lambda: engine.client.status(ada), lambda status: status.condition == "stopping")
    with pytest.raises(AgentStopped):
        await engine.ask(ada, "too late")
    held.let_go()
    farewell = await stopping
    assert await first == "echo: first"
    with pytest.raises(AgentStopped):
        await waiting
    assert (farewell.reason, farewell.handled) == ("the season is over", 1)
    assert farewell.undelivered == ["m2", "m3", "m4"]
    page = json.loads(await engine.client.text(farewell.undelivered_pages[0]))
    assert [entry["message"]["text"] for entry in page["entries"]] == ["second", "third", "quiet"]
    with pytest.raises(AgentNotFound):
        await engine.send(ada, "too late")


async def test_stopping_now_does_not_wait_for_the_model(engine: Engine) -> None:
    held = Held()
    ada = await engine.start(held)
    asked = asyncio.create_task(engine.ask(ada, "first", id="m1"))
    await held.reached.wait()
    farewell = await engine.client.stop(ada, Stop(when="now"))
    assert (farewell.handled, farewell.undelivered) == (0, ["m1"])
    with pytest.raises(AgentStopped):
        await asked


async def test_a_stopped_agent_can_be_born_again(engine: Engine) -> None:
    ada = await engine.start()
    await engine.ask(ada, "hello")
    await engine.client.stop(ada)
    await engine.client.start({"name": ada, "model": f"scripted:{ada}"})
    assert await engine.ask(ada, "hello again") == "echo: hello again"
    assert len(engine.models.requests[ada][-1].items) == 1


async def ended(engine: Engine, name: str) -> WorkflowExecutionStatus | None:
    with pytest.raises(WorkflowFailureError) as failure:
        await engine.handle(name).result()
    assert isinstance(failure.value.cause, CancelledError)
    return (await engine.handle(name).describe()).status


async def test_a_resting_agent_that_temporal_cancels_ends_cleanly(engine: Engine) -> None:
    ada = await engine.start()
    await engine.ask(ada, "hello")
    await engine.handle(ada).cancel()
    assert await ended(engine, ada) == WorkflowExecutionStatus.CANCELED


async def test_a_thinking_agent_that_temporal_cancels_tells_those_who_wait(engine: Engine) -> None:
    held = Held()
    ada = await engine.start(held)
    asked = asyncio.create_task(engine.ask(ada, "hello"))
    await held.reached.wait()
    await engine.handle(ada).cancel()
    assert await ended(engine, ada) == WorkflowExecutionStatus.CANCELED
    with pytest.raises(AgentStopped):
        await asked
    assert await engine.failed_tasks(ada) == []


async def test_an_agent_that_is_cancelled_while_it_summarises_ends(engine: Engine) -> None:
    held = Held(on="Summarise the conversation")
    ada = await engine.start(held, context_tokens=1000)
    await engine.ask(ada, "long " * 1000)
    await engine.send(ada, "more")
    await held.reached.wait()
    await engine.handle(ada).cancel()
    assert await ended(engine, ada) == WorkflowExecutionStatus.CANCELED


async def test_an_agent_that_is_cancelled_while_a_gate_is_asked_ends(engine: Engine) -> None:
    place = engine.name()
    gate = {"tool": "workshop/hold", "arguments": {"bench": place}}
    running = tools.held.setdefault(place, asyncio.Event())
    ada = await engine.start(triggers=[{"type": "interval", "every": "100ms", "gate": gate}], tools=["workshop/hold"])
    await running.wait()
    await engine.handle(ada).cancel()
    assert await ended(engine, ada) == WorkflowExecutionStatus.CANCELED


async def test_an_agent_that_is_cancelled_while_a_tool_runs_ends(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse:
        return calls(("hold", {"bench": ada}))

    ada = await engine.start(script, tools=["workshop/hold"])
    running = tools.held.setdefault(ada, asyncio.Event())
    await engine.send(ada, "hold")
    await running.wait()
    await engine.handle(ada).cancel()
    assert await ended(engine, ada) == WorkflowExecutionStatus.CANCELED


CHANGES: list[dict[str, Any]] = [
    {"purpose": "count ships"},
    {"instructions": "speak like a captain", "version": "2"},
    {"model": ["scripted:other", "scripted:default"]},
    {"tools": ["current_time", "workshop/hammer"]},
    {"tools": ["workshop/saw"], "permissions": ["saw"]},
    {"triggers": [{"type": "interval", "every": 3600.0, "jitter": 0.0, "text": "look", "gate": None}]},
    {"output_schema": {"type": "object"}},
    {"temperature": 0.5, "max_output_tokens": 100},
    {"max_steps": 3, "max_repeats": 2, "batch": 10},
    {"patience": 60.0, "context_tokens": 5000, "rollover_events": 100},
]


async def test_every_field_but_the_name_can_be_changed(engine: Engine) -> None:
    ada = await engine.start()
    for changes in CHANGES:
        spec = (await engine.client.configure(ada, changes)).model_dump(mode="json")
        assert {key: spec[key] for key in changes} == changes
        assert (await engine.client.spec(ada)).model_dump(mode="json") == spec


async def test_a_change_holds_from_the_next_message_on(engine: Engine) -> None:
    ada = await engine.start(purpose="count sheep")
    await engine.ask(ada, "hello")
    await engine.client.configure(ada, {"purpose": "count ships", "tools": ["workshop/hammer"], "temperature": 0.5})
    await engine.ask(ada, "hello")
    before, after = engine.models.requests[ada]
    assert ("count sheep" in before.system, "count ships" in after.system) == (True, True)
    assert "hammer" in [tool.name for tool in after.tools]
    assert after.temperature == 0.5


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "eve"}, "keeps its name"),
        ({}, "give the fields"),
        ({"purpos": "x"}, "purpose"),
        ({"max_steps": "many"}, "max_steps"),
        ({"model": "gpt"}, "provider:model"),
        ({"model": "nobody:x"}, "no such provider"),
        ({"tools": ["nope"]}, "no built-in tool 'nope'"),
        ({"tools": ["workshop/nope"]}, "nope"),
        ({"tools": ["workshop/saw"]}, "permission 'saw'"),
        ({"triggers": [{"type": "cron", "cron": "never"}]}, "cron"),
        ({"triggers": [{"type": "interval", "every": "5 parrots"}]}, "length of time"),
        ({"output_schema": {"type": "nonsense"}}, "JSON schema"),
    ],
)
async def test_a_change_that_does_not_fit_is_refused_and_nothing_is_changed(
    engine: Engine, changes: dict[str, object], problem: str
) -> None:
    ada = await engine.start()
    before = await engine.client.spec(ada)
    with pytest.raises(InvalidInput, match=problem):
        await engine.client.configure(ada, changes)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await engine.update(ada, "configure", changes)
    assert problem in str(refused.value.__cause__)
    assert await engine.client.spec(ada) == before
    assert await engine.ask(ada, "hello") == "echo: hello"
    assert await engine.failed_tasks(ada) == []


async def test_a_tool_that_is_taken_away_while_it_runs_still_gives_its_result(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        return calls(("hold", {"bench": ada})) if len(request.items) == 1 else echo(request)

    ada = await engine.start(script, tools=["workshop/hold"])
    running = tools.held.setdefault(ada, asyncio.Event())
    await engine.send(ada, "hold")
    await running.wait()
    await engine.client.configure(ada, {"tools": []})
    assert await engine.ask(ada, "next", mode="interrupt") == "echo: next"
    assert await engine.failed_tasks(ada) == []


async def test_changes_made_at_once_are_all_made(engine: Engine) -> None:
    ada = await engine.start()
    await asyncio.gather(
        engine.client.configure(ada, {"purpose": "count ships"}),
        engine.client.configure(ada, {"tools": ["workshop/hammer"]}),
        engine.client.configure(ada, {"max_steps": 7}),
    )
    spec = await engine.client.spec(ada)
    assert (spec.purpose, spec.tools, spec.max_steps) == ("count ships", ["workshop/hammer"], 7)
    await engine.ask(ada, "hello")
    assert said(engine.models.requests[ada]) == ["hello"]
