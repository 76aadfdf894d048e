"""What is published comes to those who want it, once and in order."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from temporalio.client import WorkflowExecutionStatus

from aos.topic_filter import Equals, Sender, Text
from engine.harbour import Harbour, open_harbour
from engine.server import running_server

STORM = 25


async def test_each_subscriber_gets_what_its_filter_lets_through(harbour: Harbour) -> None:
    topic = harbour.name()
    ada, bob = await harbour.listeners(2)
    await harbour.topics.subscribe(topic, ada, Text(contains="storm") | Equals(path=["ship", "name"], value="Corvina"))
    await harbour.topics.subscribe(topic, bob, {"type": "not", "of": {"type": "text", "contains": "STORM"}})
    await harbour.publish(topic, "a storm comes", "all is calm")
    ship = {"type": "data", "data": {"ship": {"name": "Corvina"}}}
    await harbour.publish(topic, "a ship", parts=[ship])
    assert await harbour.texts(ada, 2) == ["a storm comes", "a ship"]
    assert await harbour.texts(bob, 2) == ["all is calm", "a ship"]
    status = await harbour.until_delivered(topic)
    assert (status.published, status.delivered, status.subscribers) == (3, 4, 2)


async def test_a_publication_keeps_what_it_says_and_becomes_a_publication_of_the_topic(harbour: Harbour) -> None:
    topic, ada = harbour.name(), await harbour.listener()
    await harbour.topics.subscribe(topic, ada, {"type": "kind", "kinds": ["question"]})
    parts = [{"type": "data", "name": "ship", "data": {"masts": 3}}]
    between = {"reply_to": "agent/radar", "waiting": ["agent/radar"], "kind": "question"}
    await harbour.publish(topic, "who is it?", id="m1", sender="agent/radar", priority=1, parts=parts, **between)
    (got,) = await harbour.heard(ada, 1)
    assert got == {
        "id": "m1",
        "text": "who is it?",
        "sender": "agent/radar",
        "priority": 1,
        "parts": parts,
        "kind": "publication",
        "topic": topic,
        "to": ada,
    }


async def test_a_topic_comes_into_being_when_it_is_published_on_and_goes_on_when_started_by_hand(
    harbour: Harbour,
) -> None:
    topic, ada = harbour.name(), await harbour.listener()
    await harbour.publish(topic, "nobody hears this")
    await harbour.subscribe(topic, ada)
    await harbour.publish(topic, "ada hears this")
    assert await harbour.texts(ada, 1) == ["ada hears this"]
    by_hand = harbour.name()
    handle = await harbour.start_by_hand(by_hand, {"name": by_hand})
    assert await harbour.update(by_hand, "subscribe", {"subscriber": ada}) is not None
    await handle.signal("publish", {"text": "and this"})
    assert await harbour.texts(ada, 2) == ["ada hears this", "and this"]


async def test_subscribing_and_unsubscribing_twice_is_as_good_as_once(harbour: Harbour) -> None:
    topic, ada = harbour.name(), await harbour.listener()
    wanted = Sender(senders=["agent/r*"])
    first = await harbour.topics.subscribe(topic, ada, wanted)
    assert first == await harbour.topics.subscribe(topic, ada, wanted)
    assert (first.subscriber, first.filter) == (ada, wanted)
    assert await harbour.topics.subscribers(topic) == [first]
    await harbour.publish(topic, "one", sender="agent/radar")
    assert await harbour.texts(ada, 1) == ["one"]
    assert await harbour.topics.unsubscribe(topic, ada) == first
    assert (await harbour.topics.unsubscribe(topic, ada)).filter is None
    await harbour.publish(topic, "two", sender="agent/radar")
    await harbour.until_delivered(topic)
    await harbour.subscribe(topic, ada)
    await harbour.publish(topic, "three", sender="agent/radar")
    assert await harbour.texts(ada, 2) == ["one", "three"]


async def test_unsubscribing_where_there_is_no_topic_makes_none(harbour: Harbour) -> None:
    topic = harbour.name()
    assert (await harbour.topics.unsubscribe(topic, "ada")).subscriber == "agent/ada"
    assert topic not in await harbour.topics.names()


async def test_a_subscriber_does_not_hear_itself(harbour: Harbour) -> None:
    topic = harbour.name()
    ada, bob = await harbour.listeners(2)
    await harbour.subscribe(topic, ada, bob)
    await harbour.publish(topic, "mine", sender=ada)
    await harbour.publish(topic, "yours", sender=bob)
    assert await harbour.texts(ada, 1) == ["yours"]
    assert await harbour.texts(bob, 1) == ["mine"]
    assert (await harbour.until_delivered(topic)).delivered == 2


async def test_a_subscriber_that_is_gone_is_dropped_and_stops_nobody(harbour: Harbour) -> None:
    topic = harbour.name()
    ada, bob = await harbour.listeners(2)
    await harbour.subscribe(topic, "agent/nobody-of-this-name", ada, bob)
    await harbour.handle(bob).terminate("an accident")
    await harbour.publish(topic, "one", "two")
    assert await harbour.texts(ada, 2) == ["one", "two"]
    status = await harbour.until_delivered(topic)
    assert (status.subscribers, status.dropped_count, status.delivered) == (1, 2, 2)
    assert {dropped.subscriber for dropped in status.dropped} == {"agent/nobody-of-this-name", bob}
    assert all("not found" in dropped.why for dropped in status.dropped)


async def test_one_id_is_published_once_also_after_rollovers(harbour: Harbour) -> None:
    topic, ada = await harbour.start(rollover_events=50), await harbour.listener()
    await harbour.subscribe(topic, ada)
    await harbour.publish(topic, "first", id="the-first")
    texts = [f"more {number}" for number in range(40)]
    await harbour.publish(topic, *texts)
    assert (await harbour.until(lambda: harbour.topics.status(topic), lambda s: s.rollovers >= 2)).repeated == 0
    await harbour.publish(topic, "first", id="the-first")
    await harbour.publish(topic, "last")
    assert await harbour.texts(ada, 42) == ["first", *texts, "last"]
    assert (await harbour.until_delivered(topic)).repeated == 1
    assert not await harbour.failed_tasks(topic)


async def test_the_order_of_each_publisher_is_kept_in_a_storm(harbour: Harbour) -> None:
    topic = await harbour.start(rollover_events=100)
    listeners = await harbour.listeners(4)
    await harbour.subscribe(topic, *listeners)
    publishers = [f"agent/radar-{number}" for number in range(3)]
    texts = [f"{number}" for number in range(STORM)]
    await asyncio.gather(*(harbour.publish(topic, *texts, sender=publisher) for publisher in publishers))
    status = await harbour.until_delivered(topic)
    assert status.delivered == 3 * 4 * STORM
    assert status.rollovers >= 3
    for listener in listeners:
        heard = await harbour.heard(listener, 3 * STORM)
        for publisher in publishers:
            assert [each["text"] for each in heard if each["sender"] == publisher] == texts
    assert not await harbour.failed_tasks(topic)


async def test_a_topic_may_subscribe_to_a_topic_and_a_circle_of_them_ends(harbour: Harbour) -> None:
    ships, weather = harbour.name(), harbour.name()
    ada, bob = await harbour.listeners(2)
    await harbour.subscribe(ships, f"topic/{weather}", ada)
    await harbour.subscribe(weather, f"topic/{ships}", bob)
    await harbour.publish(ships, "a gale", id="g1", sender="agent/radar")
    for listener, topic in ((ada, ships), (bob, weather)):
        (got,) = await harbour.heard(listener, 1)
        assert (got["id"], got["topic"], got["sender"]) == ("g1", topic, "agent/radar")
    status = await harbour.until(lambda: harbour.topics.status(ships), lambda status: status.repeated > 0)
    assert (status.published, status.repeated) == (1, 1)


async def test_a_topic_that_is_stopped_delivers_first_what_was_published(harbour: Harbour) -> None:
    topic, listeners = harbour.name(), await harbour.listeners(20)
    await harbour.subscribe(topic, *listeners)
    await harbour.publish(topic, "one", "two", "three")
    farewell = await harbour.topics.stop(topic)
    assert (farewell.published, farewell.delivered) == (3, 60)
    for listener in listeners:
        assert await harbour.texts(listener, 3) == ["one", "two", "three"]
    assert (await harbour.handle(f"topic/{topic}").describe()).status == WorkflowExecutionStatus.COMPLETED


async def test_long_publications_are_brought_to_many_without_being_too_much_at_a_time(harbour: Harbour) -> None:
    topic, listeners = await harbour.start(rollover_events=100), await harbour.listeners(6)
    await harbour.subscribe(topic, *listeners)
    texts = [f"{number}" + "x" * 700_000 for number in range(4)]
    await asyncio.gather(*(harbour.publish(topic, text, id=text[:1]) for text in texts))
    status = await harbour.until_delivered(topic)
    assert status.delivered == 24
    for listener in listeners:
        assert sorted(text[:2] for text in await harbour.texts(listener, 4)) == ["0x", "1x", "2x", "3x"]
    for run_id in await harbour.runs(f"topic/{topic}"):
        started = (await harbour.events(f"topic/{topic}", run_id))[0].workflow_execution_started_event_attributes
        assert len(started.input.payloads[0].data) < 300 * 1024
    assert not await harbour.failed_tasks(topic)


async def test_what_a_thousand_subscribers_carry_over_a_rollover_stays_small(harbour: Harbour) -> None:
    topic = await harbour.start(rollover_events=100)
    wanted = {"type": "equals", "path": "ship.name", "value": "Corvina"}
    subscriptions = [{"subscriber": f"agent/listener-{number:06}", "filter": wanted} for number in range(1000)]
    for at in range(0, 1000, 100):
        await harbour.handle(f"topic/{topic}").signal("place", {"subscriptions": subscriptions[at : at + 100]})
    for number in range(120):
        await harbour.publish(topic, f"{number}")
    await harbour.until(lambda: harbour.topics.status(topic), lambda status: status.rollovers > 0)
    (carried,) = (await harbour.events(f"topic/{topic}"))[0].workflow_execution_started_event_attributes.input.payloads
    assert len(json.loads(carried.data)["resume"]["subscribers"]) == 1000
    assert len(carried.data) < 150 * 1024


async def test_who_lives_and_has_no_room_stays_subscribed_and_holds_nobody_up(tmp_path: Path) -> None:
    # A server of its own, whose workflows are full soon; and a topic tries for seven seconds.
    full_with = {"history.maximumSignalsPerExecution": "3"}
    async with (
        running_server(tmp_path, full_with) as server,
        open_harbour(server.client, tmp_path) as harbour,
    ):
        topic = harbour.name()
        full, ada = await harbour.listeners(2)
        await harbour.subscribe(topic, full, ada, filter={"type": "sender", "senders": ["agent/radar"]})
        for number in range(3):
            await harbour.handle(full).signal("send", {"id": f"{number}", "text": "full"})
        await harbour.publish(topic, "a gale", sender="agent/radar")
        assert await harbour.texts(ada, 1) == ["a gale"]
        status = await harbour.until_delivered(topic)
        assert (status.subscribers, status.dropped_count, status.delivered, status.dead_letters) == (2, 0, 1, 1)
        (letter,) = (await harbour.topics.dead_letters(topic)).letters
        assert f"{full} has no room for it" in letter.reason
        assert (letter.text, letter.sender, letter.kind) == ("a gale", "agent/radar", "undeliverable")
