"""The one object that holds everything a topic is: what a handler touches, and what crosses a rollover."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import Field

from aos.message import Message
from aos.topic import Dropped, Subscription, TopicSpec, topic_address
from aos.topic_filter import Filter
from aos.views import DeadLetter
from aos.wire import Wire
from aos_workflows.seen import Seen
from aos_workflows.topic.log import Entry, Log

SCHEMA_VERSION = 1

FAN = 8
"""Branches that a topic splits into, at most."""

DEEPEST = 10
"""Branches of branches: one as deep as that takes more subscribers than `branch`."""

HELD_BYTES = 512 * 1024
"""Most bytes of subscriptions in one workflow: with more of them it splits, however few they are."""

PLACED_BYTES = 128 * 1024
"""Most bytes of subscriptions that go to a branch together."""

DROPPED_KEPT = 20
DEAD_KEPT = 20
DEAD_BYTES = 4 * 1024


class Placement(Wire):
    """Subscriptions that a topic gives to a branch of its."""

    subscriptions: list[Subscription]


class TopicState(Wire):
    """Everything a topic is.

    `subscribers` are filters by address. Once it has split, `branches` are addresses of those who have them instead,
    each with whether it was started. `weight` is the size of the subscriptions in bytes, nearly.
    """

    schema_version: int = SCHEMA_VERSION
    spec: TopicSpec
    started: float
    subscribers: dict[str, Filter | None] = Field(default_factory=dict[str, Filter | None])
    weight: int = 0
    branches: dict[str, bool] = Field(default_factory=dict[str, bool])
    splitting: bool = False
    log: Log = Field(default_factory=Log)
    seen: Seen = Field(default_factory=Seen)
    published: int = 0
    delivered: int = 0
    repeated: int = 0
    dropped: list[Dropped] = Field(default_factory=list[Dropped])
    dropped_count: int = 0
    dead: list[DeadLetter] = Field(default_factory=list[DeadLetter])
    dead_count: int = 0
    dead_older: str = ""
    stop_reason: str = ""
    stop_told: bool = False
    rollovers: int = 0

    @property
    def address(self) -> str:
        """The topic's own address."""
        return topic_address(self.spec.name)

    @property
    def topic(self) -> str:
        """The name under which publications are known: that of the whole topic."""
        return self.spec.root or self.spec.name

    @property
    def readers(self) -> Iterable[str]:
        """Addresses of those whom entries of the log go to."""
        return self.branches or self.subscribers

    def wants(self, reader: str, entry: Entry) -> bool:
        """Return whether an entry is for a reader."""
        if self.branches:
            return entry.to in ("", reader)
        message = entry.message
        if message is None or message.sender == reader or reader not in self.subscribers:
            return False
        wanted = self.subscribers[reader]
        return wanted is None or wanted.holds(message)

    # Publications

    def publish(self, message: Message) -> None:
        """Add a publication that did not come before. What only makes sense between two is taken from it.

        One that comes when the topic is being stopped finds nobody, as it would a moment later: its branches are told
        of their end before it.
        """
        self.published += 1
        if self.readers and not self.stop_told:
            between: dict[str, Any] = {"sequence": None, "reply_to": "", "waiting": [], "to": ""}
            self.log.add(Entry(message=message.model_copy(update=between)))

    def stop(self) -> None:
        """Have branches stop when everything before has come to them."""
        self.splitting = False
        if not self.stop_told:
            self.stop_told = True
            for branch in self.branches:
                self.log.add(Entry(stop=self.stop_reason, to=branch))

    # Subscribers

    def subscribe(self, subscription: Subscription) -> None:
        """Take in a subscriber, or change its filter. It gets what is published from now on."""
        subscriber = subscription.subscriber
        if self.branches:
            self.log.add(Entry(place=[subscription], to=self.branch_of(subscriber)))
            return
        if subscriber in self.subscribers:
            self.weight -= _weight(subscriber, self.subscribers[subscriber])
        else:
            self.log.join(subscriber)
        self.subscribers[subscriber] = subscription.filter
        self.weight += _weight(subscriber, subscription.filter)
        self.splitting = self._is_crowded and not self.stop_reason

    def unsubscribe(self, subscriber: str) -> Subscription:
        """Let a subscriber go, and return its subscription as far as it is known here."""
        if self.branches:
            self.log.add(Entry(remove=subscriber, to=self.branch_of(subscriber)))
            return Subscription(subscriber=subscriber)
        if subscriber not in self.subscribers:
            return Subscription(subscriber=subscriber)
        wanted = self.subscribers.pop(subscriber)
        self.weight -= _weight(subscriber, wanted)
        self.log.leave(subscriber)
        return Subscription(subscriber=subscriber, filter=wanted)

    def drop(self, dropped: Dropped) -> None:
        """Let a subscriber go that is gone."""
        if dropped.subscriber in self.subscribers:
            self.unsubscribe(dropped.subscriber)
            self.dropped = [*self.dropped, dropped][-DROPPED_KEPT:]
            self.dropped_count += 1

    # Branches

    @property
    def _is_crowded(self) -> bool:
        deep = self.spec.name.removeprefix(self.spec.root).count(".") if self.spec.root else 0
        crowded = len(self.subscribers) > self.spec.branch or self.weight > HELD_BYTES
        return crowded and len(self.subscribers) > 1 and deep < DEEPEST

    def split(self) -> None:
        """Give all subscribers to branches. Everything that was dealt must have come to them."""
        fan = min(FAN, self.spec.branch)
        self.branches = {topic_address(f"{self.spec.name}.{number}"): False for number in range(1, fan + 1)}
        placements: list[Entry] = []
        for branch in self.branches:
            room = 0
            for subscriber, wanted in self.subscribers.items():
                if self.branch_of(subscriber) == branch:
                    if room <= 0:
                        placements.append(Entry(to=branch))
                        room = PLACED_BYTES
                    placements[-1].place.append(Subscription(subscriber=subscriber, filter=wanted))
                    room -= _weight(subscriber, wanted)
        self.log.begin_with(placements)
        self.subscribers, self.weight, self.splitting = {}, 0, False

    def branch_of(self, subscriber: str) -> str:
        """Return the branch that has a subscriber, by its name alone: nobody has a list of all."""
        # A branch's own branches must be chosen by something else, or it would need one only.
        digest = hashlib.sha256(f"{self.spec.name} {subscriber}".encode()).digest()
        return [*self.branches][int.from_bytes(digest[:8]) % len(self.branches)]

    def branch_spec(self, branch: str) -> TopicSpec:
        """Return what a branch is started with."""
        name = branch.partition("/")[2]
        return self.spec.model_copy(update={"name": name, "root": self.topic})

    # Dead letters

    def bury(self, letter: DeadLetter) -> None:
        """Add a dead letter."""
        self.dead.append(letter)
        self.dead_count += 1

    def old_dead(self) -> list[DeadLetter]:
        """Return the dead letters that are to go into the store: all but the newest few."""
        room, kept = DEAD_BYTES, 0
        for letter in reversed(self.dead[-DEAD_KEPT:]):
            room -= len(letter.model_dump_json().encode())
            if room < 0:
                break
            kept += 1
        return self.dead[: len(self.dead) - kept]


def _weight(subscriber: str, wanted: Filter | None) -> int:
    return len(subscriber) + (len(wanted.model_dump_json()) if wanted else 0) + _AROUND


_AROUND = 12
"""Bytes of what is written around a subscription."""

State = dict[str, Any]

MIGRATIONS: dict[int, Callable[[State], State]] = {}
"""From a version of the state to the next one; see `aos_workflows.migrations`."""


class UnknownTopicSchema(ValueError):
    """A state that a later version of AOS wrote."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"this topic's state has schema {version}, these workers know up to {SCHEMA_VERSION}; "
            "a newer AOS wrote it, so run its workers"
        )


def dump_topic(state: TopicState) -> State:
    """Return `state` as the JSON object that crosses a rollover."""
    return {"schema_version": state.schema_version, **state.model_dump(mode="json")}


def load_topic(data: State) -> TopicState:
    """Return the state in `data`, whichever version wrote it.

    Raises:
        UnknownTopicSchema: A later version wrote it.
    """
    version = int(data.get("schema_version", SCHEMA_VERSION))
    if version > SCHEMA_VERSION:
        raise UnknownTopicSchema(version)
    while version < SCHEMA_VERSION:
        data = MIGRATIONS[version](data)
        version += 1
    return TopicState.model_validate({**data, "schema_version": SCHEMA_VERSION})
