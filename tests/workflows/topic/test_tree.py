"""A topic with more subscribers than one workflow serves: branches, and branches of branches."""

from __future__ import annotations

import asyncio

from temporalio.client import WorkflowExecutionStatus

from engine.harbour import Harbour


async def test_a_crowded_topic_splits_and_everybody_still_gets_everything_once(harbour: Harbour) -> None:
    topic = await harbour.start(branch=4)
    listeners = await harbour.listeners(14)
    texts = [f"{number}" for number in range(12)]
    await harbour.subscribe(topic, *listeners[:4])

    async def crowd() -> None:
        for listener in listeners[4:]:
            await harbour.subscribe(topic, listener)

    publishing = [harbour.publish(topic, *texts, sender=sender) for sender in ("agent/radar", "agent/sonar")]
    await asyncio.gather(crowd(), *publishing)
    await harbour.publish(topic, "the end", sender="agent/radar")
    for listener in listeners:
        heard = await harbour.until(
            lambda one=listener: harbour.heard(one), lambda heard: any(each["text"] == "the end" for each in heard)
        )
        ids = [each["id"] for each in heard]
        assert len(ids) == len(set(ids))
        for sender in ("agent/radar", "agent/sonar"):
            said = [each["text"] for each in heard if each["sender"] == sender and each["text"] != "the end"]
            assert said == texts[len(texts) - len(said) :]
            if listener in listeners[:4]:
                assert said == texts
    status = await harbour.topics.status(topic)
    assert (status.subscribers, len(status.branches)) == (14, 4)
    assert [one.subscriber for one in await harbour.topics.subscribers(topic)] == sorted(listeners)
    assert not await harbour.failed_tasks(topic)


async def test_filters_go_along_into_branches_and_can_be_changed_and_ended_there(harbour: Harbour) -> None:
    topic = await harbour.start(branch=2)
    listeners = await harbour.listeners(6)
    questions = {"type": "kind", "kinds": ["question"]}
    await harbour.subscribe(topic, *listeners, filter=questions)
    await harbour.publish(topic, "who?", kind="question")
    await harbour.publish(topic, "so there")
    for listener in listeners:
        assert await harbour.texts(listener, 1) == ["who?"]
    await harbour.topics.subscribe(topic, listeners[0])
    await harbour.topics.unsubscribe(topic, listeners[1])
    await harbour.topics.unsubscribe(topic, listeners[1])
    await harbour.publish(topic, "more")
    await harbour.publish(topic, "when?", kind="question")
    assert await harbour.texts(listeners[0], 3) == ["who?", "more", "when?"]
    for listener in listeners[2:]:
        assert await harbour.texts(listener, 2) == ["who?", "when?"]
    assert await harbour.texts(listeners[1], 1) == ["who?"]
    found = {one.subscriber: one.filter for one in await harbour.topics.subscribers(topic)}
    assert set(found) == set(listeners) - {listeners[1]}
    assert found[listeners[0]] is None and found[listeners[2]] is not None
    (got,) = await harbour.heard(listeners[1])
    assert (got["topic"], got["kind"], got["to"]) == (topic, "publication", listeners[1])


async def test_gone_subscribers_of_branches_are_dropped_there_and_told_of(harbour: Harbour) -> None:
    topic = await harbour.start(branch=2)
    listeners = await harbour.listeners(3)
    await harbour.subscribe(topic, *listeners, "agent/nobody-1", "agent/nobody-2", "agent/nobody-3")
    await harbour.publish(topic, "hello")
    for listener in listeners:
        assert await harbour.texts(listener, 1) == ["hello"]
    status = await harbour.until(lambda: harbour.topics.status(topic), lambda status: status.dropped_count == 3)
    assert status.subscribers == 3
    assert {one.subscriber for one in status.dropped} == {"agent/nobody-1", "agent/nobody-2", "agent/nobody-3"}


async def test_a_branch_that_was_terminated_is_started_again_for_those_who_subscribe_then(harbour: Harbour) -> None:
    topic = await harbour.start(branch=2)
    listeners = await harbour.listeners(5)
    await harbour.subscribe(topic, *listeners)
    await harbour.publish(topic, "before")
    await asyncio.gather(*(harbour.texts(listener, 1) for listener in listeners))
    branch = (await harbour.topics.status(topic)).branches[0]
    await harbour.handle(branch).terminate("an accident")
    await harbour.subscribe(topic, *listeners)
    await harbour.publish(topic, "after")
    for listener in listeners:
        assert await harbour.texts(listener, 2) == ["before", "after"]


async def test_branches_outlive_their_topic_and_are_taken_in_by_its_next_life(harbour: Harbour) -> None:
    topic = await harbour.start(branch=2)
    listeners = await harbour.listeners(3)
    await harbour.subscribe(topic, *listeners)
    await harbour.publish(topic, "before")
    await asyncio.gather(*(harbour.texts(listener, 1) for listener in listeners))
    await harbour.handle(f"topic/{topic}").terminate("an accident")
    await harbour.topics.start({"name": topic, "branch": 2})
    await harbour.subscribe(topic, *listeners)
    await harbour.publish(topic, "after")
    for listener in listeners:
        assert await harbour.texts(listener, 2) == ["before", "after"]


async def test_branches_end_with_their_topic_when_all_is_delivered(harbour: Harbour) -> None:
    topic = await harbour.start(branch=2)
    listeners = await harbour.listeners(5)
    await harbour.subscribe(topic, *listeners)
    await harbour.publish(topic, "first")
    await asyncio.gather(*(harbour.texts(listener, 1) for listener in listeners))
    branches = (await harbour.topics.status(topic)).branches
    await harbour.publish(topic, "last")
    await harbour.topics.stop(topic)
    for listener in listeners:
        assert await harbour.texts(listener, 2) == ["first", "last"]
    for branch in branches:
        await harbour.handle(branch).result()
        assert (await harbour.handle(branch).describe()).status == WorkflowExecutionStatus.COMPLETED


async def test_a_tree_goes_on_over_rollovers_in_the_middle_of_a_fan_out(harbour: Harbour) -> None:
    topic = await harbour.start(branch=3, rollover_events=50)
    texts = [f"{number}" for number in range(15)]
    listeners = await harbour.listeners(12)
    await harbour.subscribe(topic, *listeners)
    await harbour.publish(topic, *texts, sender="agent/radar")
    for listener in listeners:
        # What a rollover does not see arrive is sent again: subscribers take one id once.
        heard = await harbour.until(
            lambda one=listener: harbour.heard(one), lambda heard: len({each["id"] for each in heard}) == len(texts)
        )
        assert list(dict.fromkeys(each["text"] for each in heard)) == texts
    status = await harbour.topics.status(topic)
    assert status.rollovers >= 2
    assert len(await harbour.runs(status.branches[0])) >= 2
    assert not await harbour.failed_tasks(topic)
