"""What is wrong is said to whoever sent it, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from aos.errors import InvalidInput, TopicExists, TopicNotFound
from aos.limits import MESSAGE_BYTES
from aos.topic_filter import FILTER_BYTES
from engine.harbour import Harbour


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "text", "contains": "x"}
    for _ in range(depth):
        found = {"type": "not", "of": found}
    return found


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "subscriber: this field is required"),
        ({"subscriber": "planet/mars"}, "agent/, team/, topic/"),
        ({"subscriber": "ada", "filtre": {}}, "did you mean 'filter'"),
        ({"subscriber": "ada", "filter": {}}, "it needs the field 'type'"),
        ({"subscriber": "ada", "filter": {"type": "colour"}}, "'colour' is none of"),
        ({"subscriber": "ada", "filter": {"type": "priority", "at_most": 9}}, "filter.at_most"),
        ({"subscriber": "ada", "filter": {"type": "any", "of": []}}, "filter.of"),
        ({"subscriber": "ada", "filter": {"type": "equals", "path": "a"}}, "filter.value: this field is required"),
        ({"subscriber": "ada", "filter": {"type": "in", "path": "a", "values": "x"}}, "filter.values"),
        ({"subscriber": "ada", "filter": nested(16)}, "17 deep, the limit is 16"),
        (
            {"subscriber": "ada", "filter": {"type": "equals", "path": "a", "value": "x" * FILTER_BYTES}},
            f"the limit is {FILTER_BYTES}",
        ),
        ({"subscriber": "topic/ships.1"}, "ends in a dot and a number"),
        ([1], "object"),
    ],
)
async def test_a_subscription_that_cannot_be_read_is_refused(harbour: Harbour, given: object, problem: str) -> None:
    topic = await harbour.start()
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await harbour.update(topic, "subscribe", given)
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError) and cause.type == "InvalidInput"
    assert problem in cause.message
    assert (await harbour.topics.status(topic)).subscribers == 0
    assert not await harbour.failed_tasks(topic)


async def test_a_topic_cannot_subscribe_to_itself_and_updates_take_one_object(harbour: Harbour) -> None:
    topic = await harbour.start()
    for update, given in (
        ("subscribe", [{"subscriber": f"topic/{topic}"}]),
        ("subscribe", []),
        ("unsubscribe", [{"subscriber": "ada"}, 1]),
        ("unsubscribe", [{"subscriber": "no name"}]),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as failure:
            await harbour.update(topic, update, *given)
        assert isinstance(failure.value.cause, ApplicationError)
        assert failure.value.cause.type == "InvalidInput"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "name: this field is required"),
        ({"name": "other"}, "topic/other"),
        ({"name": "ships.1"}, "ends in a dot and a number"),
        ({"name": "s" * 81}, "at most 80 characters"),
        ({"name": "ships", "branch": 1}, "branch"),
        ({"name": "ships", "root": "boats"}, "a branch of 'boats'"),
        ({"name": "ships", "size": 1}, "there is no such field"),
    ],
)
async def test_a_topic_that_cannot_be_is_refused(harbour: Harbour, given: dict[str, Any], problem: str) -> None:
    handle = await harbour.start_by_hand(harbour.name(), given)
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.type == "InvalidInput"
    assert problem in failure.value.cause.message


async def test_a_wrong_signal_becomes_a_dead_letter(harbour: Harbour) -> None:
    topic, ada = await harbour.start(), await harbour.listener()
    await harbour.subscribe(topic, ada)
    handle = harbour.handle(f"topic/{topic}")
    for name, given in (
        ("publish", {"txt": "x"}),
        ("send", "x"),
        ("place", {"subscriptions": [{"subscriber": "no name"}]}),
        ("remove", {}),
        ("sing", {}),
        ("stop", {"when": "yesterday"}),
        ("publish", {"text": "x" * (MESSAGE_BYTES - 4096)}),
    ):
        await handle.signal(name, given)
    await handle.signal("publish", args=[{"text": "x"}, {"text": "y"}])
    await harbour.signal_bytes(topic, "publish", b'{"text": ')
    await harbour.signal_bytes(topic, "publish", b"\xff\xfe")
    await harbour.publish(topic, "all is well")
    assert await harbour.texts(ada, 1) == ["all is well"]
    dead = await harbour.topics.dead_letters(topic)
    assert dead.count == 10
    assert {letter.kind for letter in dead.letters} == {"unreadable"}
    assert not await harbour.failed_tasks(topic)


async def test_the_client_refuses_by_itself_what_cannot_be_read(harbour: Harbour) -> None:
    for call in (
        harbour.topics.publish("no name", "x"),
        harbour.topics.publish("agent/ada", "x"),
        harbour.topics.publish("ships.1", "x"),
        harbour.topics.publish("ships", "x" * MESSAGE_BYTES),
        harbour.topics.subscribe("ships", "ada", {"type": "colour"}),
        harbour.topics.unsubscribe("ships", "planet/mars"),
    ):
        with pytest.raises(InvalidInput):
            await call


async def test_what_is_there_is_not_started_twice_and_what_is_not_is_not_found(harbour: Harbour) -> None:
    topic = await harbour.start()
    with pytest.raises(TopicExists):
        await harbour.topics.start({"name": topic})
    with pytest.raises(TopicNotFound):
        await harbour.topics.status(harbour.name())


async def test_a_branch_takes_no_subscribers_by_itself(harbour: Harbour) -> None:
    topic = await harbour.start(branch=2)
    await harbour.subscribe(topic, *await harbour.listeners(3))
    branch = (await harbour.until(lambda: harbour.topics.status(topic), lambda s: bool(s.branches))).branches[0]
    await harbour.publish(topic, "so that the branches are there")
    await harbour.until_delivered(topic)
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await harbour.update(branch.removeprefix("topic/"), "subscribe", {"subscriber": "ada"})
    assert "subscribe and unsubscribe there" in str(failure.value.cause)
