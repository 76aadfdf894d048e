"""What a topic holds, without a server."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.message import Message
from aos.topic import Dropped, Subscription, TopicSpec
from aos.topic_filter import Text
from aos.views import DeadLetter
from aos_workflows.topic.state import (
    DEAD_BYTES,
    FAN,
    HELD_BYTES,
    PLACED_BYTES,
    SCHEMA_VERSION,
    TopicState,
    UnknownTopicSchema,
    dump_topic,
    load_topic,
)


def topic(branch: int = 4, name: str = "ships", root: str = "") -> TopicState:
    return TopicState(spec=TopicSpec(name=name, branch=branch, root=root), started=0.0)


def subscribe(state: TopicState, number: int, size: int = 1) -> list[str]:
    names = [f"agent/listener-{each}" for each in range(number)]
    for name in names:
        state.subscribe(Subscription(subscriber=name, filter=Text(contains="x" * size)))
    return names


@given(st.integers(2, 12), st.integers(3, 60))
def test_a_topic_splits_when_it_is_crowded_and_each_subscriber_goes_to_one_branch(branch: int, number: int) -> None:
    state = topic(branch)
    names = subscribe(state, number)
    assert state.splitting == (number > branch)
    if not state.splitting:
        return
    state.split()
    placed = {
        subscription.subscriber: entry.to for entry in state.log.front for subscription in entry.place if entry.place
    }
    assert set(placed) == set(names)
    assert sum(len(entry.place) for entry in state.log.front) == number
    assert (
        set(placed.values())
        <= set(state.branches)
        == {f"topic/ships.{each}" for each in range(1, min(FAN, branch) + 1)}
    )
    assert all(state.branch_of(name) == placed[name] for name in names)
    assert (state.subscribers, state.weight, state.splitting) == ({}, 0, False)


def test_branches_of_branches_divide_those_whom_one_branch_has() -> None:
    state = topic(8)
    names = [f"agent/listener-{each}" for each in range(1000)]
    for name in names[:9]:
        state.subscribe(Subscription(subscriber=name))
    state.split()
    (first, *_) = state.branches
    there = [name for name in names if state.branch_of(name) == first]
    assert len(there) > 60
    below = TopicState(spec=state.branch_spec(first), started=0.0)
    for name in there:
        below.subscribe(Subscription(subscriber=name))
    below.split()
    shares = [sum(below.branch_of(name) == branch for name in there) for branch in below.branches]
    assert min(shares) > 0


def test_few_subscribers_with_large_filters_split_too_and_are_placed_a_few_at_a_time() -> None:
    state = topic(1000)
    size = 900
    names = subscribe(state, HELD_BYTES // size + 1, size)
    assert state.splitting
    state.split()
    sizes = [sum(len(one.model_dump_json()) for one in entry.place) for entry in state.log.front]
    assert max(sizes) < PLACED_BYTES + 2 * size
    assert sum(len(entry.place) for entry in state.log.front) == len(names)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(1, 50)), max_size=40))
def test_the_weight_is_that_of_the_subscriptions_that_there_are(changes: list[tuple[bool, int, int]]) -> None:
    state, wanted = topic(1000), topic(1000)
    held: dict[str, int] = {}
    for joins, number, size in changes:
        name = f"agent/listener-{number}"
        if joins:
            state.subscribe(Subscription(subscriber=name, filter=Text(contains="x" * size)))
            held[name] = size
        else:
            state.unsubscribe(name)
            held.pop(name, None)
    for name, size in held.items():
        wanted.subscribe(Subscription(subscriber=name, filter=Text(contains="x" * size)))
    assert (state.weight, state.subscribers) == (wanted.weight, wanted.subscribers)


def test_what_is_published_when_the_topic_is_being_stopped_finds_nobody() -> None:
    for number in (2, 6):
        state = topic(4)
        subscribe(state, number)
        if state.splitting:
            state.split()
        state.publish(Message(text="before", id="1"))
        state.stop_reason = "the season is over"
        state.stop()
        waiting = state.log.count
        state.publish(Message(text="after", id="2"))
        assert (state.log.count, state.published) == (waiting, 2)
        assert not any(entry.message and entry.message.text == "after" for entry in state.log.front)


def test_branches_are_told_of_the_end_once_and_after_everything_else() -> None:
    state = topic(2)
    subscribe(state, 3)
    state.split()
    state.publish(Message(text="last", id="1"))
    state.stop_reason = "the season is over"
    state.stop()
    state.stop()
    assert [(entry.stop, entry.to) for entry in state.log.front[-2:]] == [
        ("the season is over", branch) for branch in state.branches
    ]
    assert sum(bool(entry.stop) for entry in state.log.front) == 2


def test_what_only_makes_sense_between_two_is_taken_from_a_publication() -> None:
    state = topic()
    subscribe(state, 1)
    state.publish(Message(text="x", id="1", to="agent/bob", reply_to="agent/radar", waiting=["agent/radar"]))
    (entry,) = state.log.front
    assert entry.message == Message(text="x", id="1")


def test_a_subscriber_is_dropped_once() -> None:
    state = topic()
    subscribe(state, 2)
    for _ in range(2):
        state.drop(Dropped(subscriber="agent/listener-0", at=datetime.now(UTC), why="gone"))
    assert (state.dropped_count, [*state.subscribers]) == (1, ["agent/listener-1"])


def test_only_the_newest_dead_letters_are_carried_over_a_rollover() -> None:
    state = topic()
    for number in range(40):
        state.bury(DeadLetter.of(id=str(number), reason="x" * 200, text="x" * 300, at=datetime.now(UTC)))
    old = state.old_dead()
    kept = state.dead[len(old) :]
    assert 0 < sum(len(letter.model_dump_json()) for letter in kept) <= DEAD_BYTES
    assert old == state.dead[: len(old)]


def test_a_state_comes_back_as_it_was_written() -> None:
    state = topic(2)
    subscribe(state, 3)
    state.split()
    state.publish(Message(text="x", id="1"))
    assert load_topic(json.loads(json.dumps(dump_topic(state)))) == state


def test_a_state_that_a_later_version_wrote_is_refused_by_name() -> None:
    later = {**dump_topic(topic()), "schema_version": SCHEMA_VERSION + 1}
    with pytest.raises(UnknownTopicSchema, match=f"has schema {SCHEMA_VERSION + 1}.*run its workers"):
        load_topic(later)
