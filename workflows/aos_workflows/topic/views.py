"""What a topic shows of its state to queries and to the Web UI."""

from __future__ import annotations

from datetime import UTC, datetime

from aos.topic import Subscribers, Subscription, TopicFarewell, TopicStatus
from aos.views import DeadLetters
from aos_workflows.topic.state import TopicState

_DEAD_LISTED = 100
_LISTED_BYTES = 1024 * 1024


def status(state: TopicState) -> TopicStatus:
    """Return the answer to the query `status`."""
    return TopicStatus(
        name=state.spec.name,
        condition="stopping" if state.stop_reason else "splitting" if state.splitting else "serving",
        subscribers=len(state.subscribers),
        branches=[*state.branches],
        published=state.published,
        delivered=state.delivered,
        waiting=state.log.count,
        repeated=state.repeated,
        dropped_count=state.dropped_count,
        dropped=state.dropped,
        dead_letters=state.dead_count,
        rollovers=state.rollovers,
        started=datetime.fromtimestamp(state.started, UTC),
    )


def in_words(state: TopicState) -> str:
    """Return in a sentence what the topic does."""
    if state.stop_reason:
        return f"Stopping: {state.stop_reason}"
    held = f"in {len(state.branches)} branches" if state.branches else f"{len(state.subscribers)}"
    return f"Subscribers: {held}; {state.published} published, {state.delivered} delivered"


def subscribers(state: TopicState) -> Subscribers:
    """Return the answer to the query `subscribers`, as much as an answer may have."""
    listed: list[Subscription] = []
    room = _LISTED_BYTES
    for subscriber, wanted in state.subscribers.items():
        subscription = Subscription(subscriber=subscriber, filter=wanted)
        room -= len(subscription.model_dump_json()) + 1
        if room < 0:
            break
        listed.append(subscription)
    return Subscribers(count=len(state.subscribers), subscriptions=listed, branches=[*state.branches])


def dead_letters(state: TopicState) -> DeadLetters:
    """Return the answer to the query `dead_letters`."""
    return DeadLetters(count=state.dead_count, letters=state.dead[-_DEAD_LISTED:], older=state.dead_older)


def farewell(state: TopicState) -> TopicFarewell:
    """Return what the topic leaves behind."""
    return TopicFarewell(
        name=state.spec.name,
        reason=state.stop_reason,
        published=state.published,
        delivered=state.delivered,
        dropped=state.dropped_count,
    )
