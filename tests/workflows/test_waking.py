"""Ticks, timers and outside events."""

from __future__ import annotations

import asyncio

from aos.message import Event
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls, last_text
from engine import tools
from engine.engine import Engine
from engine.scripts import said


async def test_an_agent_with_an_interval_can_be_started_by_the_client(engine: Engine) -> None:
    ada = engine.name()
    await engine.client.start({"name": ada, "triggers": [{"type": "interval", "every": "1d", "text": "tick"}]})
    assert (await engine.client.spec(ada)).triggers


async def test_an_interval_with_a_text_wakes_the_agent_again_and_again(engine: Engine) -> None:
    ada = await engine.start(triggers=[{"type": "interval", "every": "200ms", "jitter": "50ms", "text": "look around"}])
    await engine.until_handled(ada, 3)
    assert set(said(engine.models.requests[ada])) == {"look around"}
    assert (await engine.client.status(ada)).next_tick
    assert engine.models.requests[ada][0].items[0].sender == "trigger/interval"  # type: ignore[union-attr]


async def test_a_tick_with_nothing_new_makes_no_model_call(engine: Engine) -> None:
    ada = await engine.start(triggers=[{"type": "interval", "every": "100ms"}])
    before = (
        await engine.until(lambda: engine.client.status(ada), lambda status: status.next_tick is not None)
    ).next_tick
    await engine.until(lambda: engine.client.status(ada), lambda status: passed(status.next_tick, before))
    assert engine.requests(ada) == 0
    await engine.send(ada, "by the way", wake=False)
    await engine.until_handled(ada, 1)
    assert said(engine.models.requests[ada]) == ["by the way"]


def passed(tick: object, before: object) -> bool:
    return tick is not None and tick != before


async def test_a_tool_as_gate_lets_a_tick_through_when_its_answer_changes(engine: Engine) -> None:
    place = engine.name()
    tools.news[place] = "a ship"
    gate = {"tool": "workshop/look", "arguments": {"place": place}}
    ada = await engine.start(triggers=[{"type": "interval", "every": "100ms", "gate": gate}], tools=["workshop/look"])
    await engine.until_handled(ada, 1)
    first = (await engine.client.status(ada)).next_tick
    await engine.until(lambda: engine.client.status(ada), lambda status: passed(status.next_tick, first))
    second = (await engine.client.status(ada)).next_tick
    await engine.until(lambda: engine.client.status(ada), lambda status: passed(status.next_tick, second))
    assert engine.requests(ada) == 1
    tools.news[place] = "two ships"
    await engine.until_handled(ada, 2)
    assert said(engine.models.requests[ada]) == [
        "workshop/look answered: a ship",
        "workshop/look answered: two ships",
    ]


async def test_a_gate_whose_tool_the_agent_lacks_is_told(engine: Engine) -> None:
    ada = await engine.start(triggers=[{"type": "interval", "every": "100ms", "gate": {"tool": "workshop/look"}}])
    await engine.until_handled(ada, 1)
    assert "needs the tool workshop/look" in said(engine.models.requests[ada])[0]


async def test_cron_says_when_it_ticks_next(engine: Engine) -> None:
    trigger = {"type": "cron", "cron": "0 9 * * *", "timezone": "Asia/Tokyo", "text": "good morning"}
    ada = await engine.start(triggers=[trigger])
    status = await engine.until(lambda: engine.client.status(ada), lambda status: status.next_tick is not None)
    assert status.next_tick
    assert (status.next_tick.hour, status.next_tick.minute) == (0, 0)
    assert "wakes by itself" in status.doing


async def test_cron_ticks(engine: Engine) -> None:
    ada = await engine.start(triggers=[{"type": "cron", "cron": "* * * * * *", "text": "second"}])
    await engine.until_handled(ada, 2)
    assert set(said(engine.models.requests[ada])) == {"second"}


async def test_a_timer_that_the_agent_sets_itself_goes_off_once(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        if len(request.items) == 1:
            return calls(("set_timer", {"seconds": 0.2, "text": "the tea is ready"}))
        return f"heard {last_text(request)}"

    ada = await engine.start(script)
    assert await engine.ask(ada, "make tea") == "heard make tea"
    await engine.until_handled(ada, 2)
    status = await engine.client.status(ada)
    assert status.next_tick is None
    assert said(engine.models.requests[ada]) == ["make tea", "make tea", "the tea is ready"]


async def test_a_timer_with_nonsense_is_refused_to_the_model(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        if len(request.items) == 1:
            return calls(("set_timer", {"seconds": -1, "text": "x"}), ("set_timer", {"seconds": "soon", "text": "x"}))
        return " | ".join(item.text for item in request.items if item.kind == "tool")

    ada = await engine.start(script)
    assert (await engine.ask(ada, "go")).count("set_timer takes seconds") == 2


async def test_a_timer_crosses_a_rollover(engine: Engine) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        if len(request.items) == 1:
            return calls(("set_timer", {"seconds": 2.5, "text": "time is up"}))
        return f"heard {last_text(request)}"

    ada = await engine.start(script, rollover_events=50)
    await engine.ask(ada, "start")
    count = 1
    while (await engine.client.status(ada)).rollovers == 0:
        await engine.ask(ada, "filler")
        count += 1
    await engine.until_handled(ada, count + 1)
    assert last_text(engine.models.requests[ada][-1]) == "time is up"


async def test_ticks_missed_during_a_pause_are_one_tick(engine: Engine) -> None:
    ada = await engine.start(triggers=[{"type": "interval", "every": "100ms", "text": "tick"}])
    await engine.until_handled(ada, 1)
    await engine.client.pause(ada)
    paused = await engine.until(lambda: engine.client.status(ada), lambda status: status.condition == "paused")
    await asyncio.sleep(1.0)  # Ten ticks go by: time itself is what is tested.
    assert (await engine.client.status(ada)).turns == paused.turns
    await engine.client.configure(ada, {"triggers": [{"type": "interval", "every": "100ms", "text": "tick"}, LATER]})
    await engine.client.resume(ada)
    await engine.until_handled(ada, paused.handled + 1)
    assert (await engine.client.status(ada)).turns <= paused.turns + 3


LATER = {"type": "interval", "every": "1d", "text": "later"}


async def test_a_trigger_that_is_added_to_a_resting_agent_ticks(engine: Engine) -> None:
    ada = await engine.start()
    await engine.ask(ada, "hello")
    await engine.client.configure(ada, {"triggers": [{"type": "interval", "every": "100ms", "text": "tick"}]})
    await engine.until_handled(ada, 2)
    await engine.client.configure(ada, {"triggers": []})
    status = await engine.client.status(ada)
    assert status.next_tick is None
    assert "wakes by itself" not in status.doing


async def test_an_event_that_a_trigger_wants_is_told_once(engine: Engine) -> None:
    ada = await engine.start(triggers=[{"type": "event", "event": "order.*", "text": "An order changed."}])
    event = Event(type="order.paid", source="shop", id="7", data={"sum": 12})
    for _ in range(3):
        await engine.client.tell_event(ada, event)
    await engine.until_handled(ada, 1)
    await engine.ask(ada, "anything else?")
    assert said(engine.models.requests[ada])[0] == (
        'An order changed.\n\n{"type":"order.paid","source":"shop","id":"7","data":{"sum":12}}'
    )
    assert engine.requests(ada) == 2


async def test_events_from_places_with_long_names_are_not_taken_for_one(engine: Engine) -> None:
    ada = await engine.start(triggers=[{"type": "event", "event": "*"}])
    for number in range(3):
        await engine.client.tell_event(ada, Event(type="x", source="s" * 400, id=str(number)))
    await engine.until_handled(ada, 3)


async def test_an_event_that_no_trigger_wants_is_a_dead_letter(engine: Engine) -> None:
    ada = await engine.start(triggers=[{"type": "event", "event": "order.paid"}])
    await engine.client.tell_event(ada, Event(type="order.paid.late", source="shop", id="7"))
    letters = await engine.until(lambda: engine.client.dead_letters(ada), lambda letters: letters.count == 1)
    assert (letters.letters[0].id, letters.letters[0].kind) == ("7", "undeliverable")
    assert "order.paid.late" in letters.letters[0].reason
    assert engine.requests(ada) == 0
