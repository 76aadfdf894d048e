"""Agents and topics on the workers of the product: what agents publish, and what they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest_asyncio

from aos.message import CHAIN, Message
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls, last_text
from engine.engine import Engine
from engine.scripts import said
from engine.talkers import Call, making, results

TOOLS = ["publish", "subscribe", "unsubscribe"]


@pytest_asyncio.fixture(loop_scope="session")
async def topic(engine: Engine) -> AsyncIterator[str]:
    """The name of a topic that ends with the test."""
    name = f"topic-{uuid4().hex[:10]}"
    yield name
    await engine.client.topics.stop(name)


async def test_an_agent_is_told_what_another_one_publishes_where_its_filter_holds(engine: Engine, topic: str) -> None:
    wanted = {"type": "equals", "path": "ship.name", "value": "Corvina"}
    bob = await engine.start(making(("subscribe", {"topic": topic, "filter": wanted})), tools=TOOLS)
    eve = await engine.start(making(("subscribe", {"topic": topic})), tools=TOOLS)
    assert await engine.ask(bob, "go") == f"you are told what is published on {topic}, where your filter holds"
    assert await engine.ask(eve, "go") == f"you are told what is published on {topic}"
    ada = await engine.start(
        making(
            ("publish", {"topic": topic, "text": "she is in", "data": {"ship": {"name": "Corvina"}}}),
            ("publish", {"topic": topic, "text": "it rains"}),
        ),
        tools=TOOLS,
    )
    assert await engine.ask(ada, "go", id="m1") == " | ".join(
        [f"published on {topic}; whoever has subscribed reads it in time"] * 2
    )
    await engine.until_handled(eve, 3)
    await engine.until_handled(bob, 2)
    assert '{"ship": {"name": "Corvina"}}' in said(engine.models.requests[bob])[-1]
    assert sorted(text.split("\n")[0] for text in said(engine.models.requests[eve])[-2:]) == ["it rains", "she is in"]
    assert (await engine.client.recent(bob)).lines[-2].who == f"agent/{ada}"
    status = await engine.client.topics.status(topic)
    assert (status.published, status.delivered) == (2, 3)


async def test_an_agent_that_has_unsubscribed_is_told_nothing_more(engine: Engine, topic: str) -> None:
    bob = await engine.start(making(("unsubscribe", {"topic": topic})), tools=TOOLS)
    await engine.client.topics.subscribe(topic, bob)
    assert await engine.ask(bob, "go") == f"you are told nothing more of {topic}"
    assert await engine.client.topics.subscribers(topic) == []


async def test_what_a_model_gets_wrong_about_topics_is_told_to_it(engine: Engine, topic: str) -> None:
    await engine.client.topics.publish(topic, "so that it is there")
    wrong: list[Call] = [
        ("publish", {"topic": "no name", "text": "x"}),
        ("publish", {"topic": "agent/bob", "text": "x"}),
        ("subscribe", {"topic": topic, "filter": {"type": "colour"}}),
        ("unsubscribe", {"topic": "ships.1"}),
    ]
    ada = await engine.start(making(*wrong), tools=TOOLS)
    told = (await engine.ask(ada, "go")).split(" | ")
    ways_out = ("a name starts with", "topic/NAME", "'text'", "ends in a dot and a number")
    for text, way_out in zip(told, ways_out, strict=True):
        assert text.startswith("error: ") and way_out in text


async def test_agents_that_answer_publications_by_publications_come_to_an_end(engine: Engine, topic: str) -> None:
    def answer(request: ModelRequest) -> ModelResponse | str:
        if found := results(request):
            return found[0].text
        return calls(("publish", {"topic": topic, "text": f"{last_text(request)[:20]}!"}))

    ada, bob = [await engine.start(answer, tools=TOOLS) for _ in range(2)]
    for name in (ada, bob):
        await engine.client.topics.subscribe(topic, name)
    led = [f"m{number}" for number in range(CHAIN - 3)]
    await engine.client.send(ada, Message(text="hello", id="the-first", causation=led))
    await engine.until(
        lambda: _last_results(engine, ada, bob), lambda found: any("messages led to this one" in text for text in found)
    )
    assert (await engine.client.topics.status(topic)).published == 3


async def _last_results(engine: Engine, *names: str) -> list[str]:
    requests = [request for name in names for request in engine.models.requests[name]]
    return [item.text for request in requests for item in results(request)]
