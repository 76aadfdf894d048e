"""What has to hold however long an agent lives."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import EventType

from aos.errors import RetryableModelError
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls, last_text
from engine import tools
from engine.engine import Engine
from engine.scripts import Held, said

PLAIN_EVENTS, PLAIN_BYTES = 13, 3 * 1024
STATE_BYTES = 20 * 1024


async def turn_cost(engine: Engine, name: str) -> tuple[int, int]:
    """Return events and bytes of one plain ask."""
    before = await engine.events(name)
    await engine.ask(name, "How many ships came today?")
    after = await engine.events(name)
    assert after[0].event_id == before[0].event_id
    new = after[len(before) :]
    return len(new), sum(event.ByteSize() for event in new)


async def test_a_plain_turn_costs_the_same_early_and_late(engine: Engine) -> None:
    ada = await engine.start()
    for number in range(9):
        await engine.ask(ada, f"m{number}")
    early = await turn_cost(engine, ada)
    for number in range(60):
        await engine.ask(ada, f"m{number} " + "x" * 500)
    late = await turn_cost(engine, ada)
    for events, size in (early, late):
        assert events <= PLAIN_EVENTS
        assert size <= PLAIN_BYTES
    assert early[0] == late[0]


async def test_what_a_plain_agent_carries_over_a_rollover_is_small(engine: Engine) -> None:
    ada = await engine.start(rollover_events=100)
    while (await engine.client.status(ada)).rollovers < 2:
        await engine.ask(ada, "tell me of the ships " + "x" * 300)
    run = (await engine.runs(ada))[-1]
    carried = (await engine.events(ada, run))[0].workflow_execution_started_event_attributes.input.payloads[0].data
    assert len(carried) < STATE_BYTES


async def test_an_old_conversation_is_summarised_and_its_originals_stay_readable(engine: Engine) -> None:
    def script(request: ModelRequest) -> str:
        asked = last_text(request)
        return "SUMMARY" if asked.startswith("Summarise") else f"heard {asked[:8]}"

    ada = await engine.start(script, context_tokens=1000)
    for number in range(12):
        await engine.ask(ada, f"page {number:03} " + "word " * 300)
    seen = [request.items for request in engine.models.requests[ada]]
    assert any(items[0].kind == "summary" for items in seen)
    assert max(sum(len(item.text) for item in items) for items in seen) < 12_000
    assert (await engine.client.status(ada)).context_tokens < 3000
    lines = (await engine.client.transcript(ada, limit=100)).lines
    assert [line.text[:8] for line in lines if line.kind == "user"] == [f"page {number:03}" for number in range(12)]


async def test_no_turn_waits_for_a_summary_as_long_as_there_is_room(engine: Engine) -> None:
    summarising = Held(lambda request: "SUMMARY" if "Summarise" in last_text(request) else "so", on="Summarise")
    ada = await engine.start(summarising, context_tokens=4000)
    await engine.ask(ada, "old " + "word " * 2700)
    await summarising.reached.wait()
    assert await engine.ask(ada, "said meanwhile") == "so"
    assert engine.models.requests[ada][-1].items[0].text.startswith("old")
    summarising.let_go()

    async def ask_again() -> ModelRequest:
        await engine.ask(ada, "and now?")
        return engine.models.requests[ada][-1]

    request = await engine.until(ask_again, lambda request: request.items[0].kind == "summary")
    texts = [item.text for item in request.items]
    assert texts[:4] == ["SUMMARY", "so", "said meanwhile", "so"], "what was said during the summary follows it"
    assert engine.models.requests[ada][-1].items[-1].text == "and now?"
    summaries = [asked for asked in said(engine.models.requests[ada]) if asked.startswith("Summarise")]
    assert len(summaries) == 1
    lines = (await engine.client.transcript(ada, limit=100)).lines
    assert [line.text[:3] for line in lines if line.kind == "user"][:2] == ["old", "sai"]
    (episode,) = [record async for record in engine.client.memory.records({"scopes": [f"agent/{ada}"]})]
    assert (episode.kind, episode.text, episode.by, episode.version) == ("episode", "SUMMARY", f"agent/{ada}", 1)


async def test_a_summary_that_fails_is_tried_again_and_holds_up_nothing(engine: Engine) -> None:
    refused = 0

    def script(request: ModelRequest) -> str:
        nonlocal refused
        if last_text(request).startswith("Summarise"):
            refused += 1
            if refused == 1:
                raise RetryableModelError("scripted", "x", "busy", "wait")
            return "SUMMARY"
        return "so"

    ada = await engine.start(script, context_tokens=4000, patience=1.0)
    await engine.ask(ada, "old " + "word " * 2700)

    async def ask_again() -> str:
        await engine.ask(ada, "and now?")
        return engine.models.requests[ada][-1].items[0].kind

    await engine.until(ask_again, lambda kind: kind == "summary")
    assert (await engine.client.status(ada)).failed == 0


async def test_a_turn_of_many_tool_calls_over_a_long_conversation_goes_on(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        asked = last_text(request)
        if asked.startswith("Summarise"):
            return "SUMMARY"
        step = len([item for item in request.items if item.kind == "tool"])
        return calls(("hammer", {"nail": f"{asked} {len(tools.runs)}"})) if step < 6 else "built"

    ada = await engine.start(script, tools=["workshop/hammer"], rollover_events=50, context_tokens=2000, max_steps=50)
    assert await engine.ask(ada, "build") == "built"
    assert await engine.failed_tasks(ada) == []


async def test_more_messages_than_a_state_can_hold_wait_in_the_store_and_keep_their_order(engine: Engine) -> None:
    ada = await engine.start(batch=100, rollover_events=400)
    await engine.ask(ada, "hello")
    await engine.client.pause(ada)
    for begin in range(0, 1200, 100):
        await asyncio.gather(
            *(engine.send(ada, f"m{number:04}", id=f"id{number}") for number in range(begin, begin + 100))
        )
    await engine.until_waiting(ada, 1200)
    inbox = await engine.client.inbox(ada)
    assert inbox.set_aside > 0
    assert len(inbox.entries) <= 200
    assert (await engine.client.status(ada)).rollovers >= 1
    await engine.client.resume(ada)
    await engine.until_handled(ada, 1201)
    lines = (await engine.client.transcript(ada, limit=5000)).lines
    texts = [line.text for line in lines if line.kind == "user"][1:]
    assert sorted(texts) == [f"m{number:04}" for number in range(1200)]
    hundreds = [text[:3] for text in texts]
    assert hundreds == sorted(hundreds)
    assert await engine.failed_tasks(ada) == []


async def test_asks_wait_through_a_pause_and_many_rollovers(engine: Engine) -> None:
    ada = await engine.start(rollover_events=50)
    await engine.ask(ada, "hello")
    await engine.client.pause(ada)
    asks = [asyncio.create_task(engine.ask(ada, f"ask {number}")) for number in range(12)]
    await engine.until_waiting(ada, 12)
    for number in range(60):
        await engine.send(ada, f"quiet {number}", wake=False)
    await engine.until(lambda: engine.client.status(ada), lambda status: status.rollovers >= 1)
    await engine.client.resume(ada)
    assert await asyncio.gather(*asks) == [f"echo: ask {number}" for number in range(12)]
    assert len(said(engine.models.requests[ada])) == 13


async def test_a_rollover_happens_while_nothing_waits(engine: Engine) -> None:
    ada = await engine.start(rollover_events=50)
    while (await engine.client.status(ada)).rollovers < 3:
        await engine.ask(ada, "hello")
    for run in (await engine.runs(ada))[:-1]:
        last = (await engine.events(ada, run))[-1]
        assert last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    assert (await engine.client.status(ada)).waiting == 0
