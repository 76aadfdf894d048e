"""Topics: what is published on one goes to all who subscribed to it. The contracts of the workflow `Topic`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from aos.address import Address, full_address, kind_of, name_of
from aos.names import Name, check_name
from aos.topic_filter import SmallFilter
from aos.wire import Compact, Contract

TOPIC_CHARS = 80
"""Longest name of a topic, in characters: its branches have longer ones."""

MOST_HELD = 1000
"""Subscribers that one workflow serves; with more, the topic splits into branches."""

_OF_A_BRANCH = re.compile(r"\.\d+$")


def topic_name(text: str) -> str:
    """Return the name of the topic that `text` names, as `ships` or `topic/ships`.

    Raises:
        ValueError: It names none.
    """
    name = text
    if "/" in text:
        if kind_of(full_address(text)) != "topic":
            raise ValueError(f"{text!r} is no topic; write its name, or topic/NAME")
        name = name_of(text)
    check_name(name)
    if len(name) > TOPIC_CHARS:
        raise ValueError(f"the name of a topic has at most {TOPIC_CHARS} characters, this one has {len(name)}")
    if _OF_A_BRANCH.search(name):
        raise ValueError(f"{name!r} ends in a dot and a number, as the names of a topic's branches do; choose another")
    return name


def topic_address(name: str) -> str:
    """Return the address of the topic called `name`."""
    return f"topic/{name}"


class TopicSpec(Contract, Compact):
    """Everything that makes one topic: a name is enough."""

    name: Name
    branch: Annotated[int, Field(ge=2, le=MOST_HELD)] = MOST_HELD
    """Subscribers that one workflow serves. With more, the topic splits into branches, and these again."""
    rollover_events: Annotated[int, Field(ge=50, le=20_000)] = 4_000
    root: Annotated[str, Field(max_length=TOPIC_CHARS)] = ""
    """The topic that this is a branch of; a topic that splits fills it in."""

    @model_validator(mode="after")
    def _named_as_it_should(self) -> TopicSpec:
        try:
            topic_name(self.root or self.name)
        except ValueError as error:
            raise ValueError(f"{'root' if self.root else 'name'}: {error}") from None
        if self.root and not re.fullmatch(re.escape(self.root) + r"(\.\d+)+", self.name):
            raise ValueError(f"name: a branch of {self.root!r} is called so with a dot and a number at the end")
        return self


class Subscription(Contract, Compact):
    """Who wants what is published: the argument and the result of the update `subscribe`.

    `subscriber`: an agent, a team or another topic; what it published itself it does not get. `filter`: what it wants;
    none: everything. Who subscribes again changes its filter.
    """

    subscriber: Address
    filter: SmallFilter | None = None


class Unsubscribe(Contract):
    """Who wants no more of what is published: the argument of the update `unsubscribe`."""

    subscriber: Address


class Dropped(BaseModel):
    """A subscriber that was gone when something was to be delivered to it."""

    subscriber: str
    at: datetime
    why: str


class TopicStatus(BaseModel):
    """How a topic is, in one look: the result of the query `status`.

    A topic that has split tells of itself only; each of its `branches` tells of its own. `waiting` are publications
    that not everybody has got, `delivered` is by subscriber and publication. `dropped` are the newest of
    `dropped_count` subscribers that were gone.
    """

    name: str
    condition: Literal["serving", "splitting", "stopping"]
    subscribers: int
    branches: list[str] = Field(default_factory=list[str])
    """Addresses of the workflows that hold the subscribers of a topic that has split."""
    published: int
    delivered: int
    waiting: int
    repeated: int = 0
    """Publications that came a second time, and were delivered once."""
    dropped_count: int = 0
    dropped: list[Dropped] = Field(default_factory=list[Dropped])
    dead_letters: int = 0
    rollovers: int = 0
    started: datetime


class Subscribers(BaseModel):
    """The subscribers that one workflow holds: the result of the query `subscribers`. `branches` hold more."""

    count: int
    subscriptions: list[Subscription]
    branches: list[str] = Field(default_factory=list[str])


class TopicFarewell(BaseModel):
    """What a topic leaves behind when it is stopped: the result of its workflow."""

    name: str
    reason: str
    published: int
    delivered: int
    dropped: int = 0
