"""Limits of single fields: the largest and the smallest value that each takes, written down apart from the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from aos.control import Lookup, Stop
from aos.message import Event, Message
from aos.spec import AgentSpec, EventTrigger, IntervalTrigger

Make = Callable[[int], object]


def chars(count: int) -> object:
    """Return a text of that many characters."""
    return "n" * count


def texts(count: int) -> object:
    """Return that many texts."""
    return [f"t{number}" for number in range(count)]


def tools(count: int) -> object:
    """Return names of that many tools."""
    return [f"app/tool-{number}" for number in range(count)]


def models(count: int) -> object:
    """Return that many models."""
    return ["offline"] * count


def triggers(count: int) -> object:
    """Return that many triggers."""
    return [{"type": "event", "event": f"e{number}"} for number in range(count)]


def images(count: int) -> object:
    """Return that many pictures."""
    return [{"url": f"https://example.org/{number}.png"} for number in range(count)]


def blocks(count: int) -> object:
    """Return the places of that many records."""
    return [{"scope": "org", "key": f"k{number}"} for number in range(count)]


def key(count: int) -> object:
    """Return the place of a record whose key has that many characters."""
    return {"scope": "org", "key": "n" * count}


def parts(count: int) -> object:
    """Return that many parts of a message."""
    return [{"type": "data", "data": number} for number in range(count)]


def one(make: Make) -> Make:
    """Return what makes a list of one."""
    return lambda size: [make(size)]


def number(size: int) -> object:
    """Return the number itself."""
    return size


def tenths(size: int) -> object:
    """Return tenths of the number."""
    return size / 10


def sequence(**fields: object) -> Mapping[str, object]:
    """Return a place in a stream."""
    return {"stream": "s", "born": 1, "number": 1, **fields}


_NEEDED: dict[type[BaseModel], dict[str, object]] = {
    AgentSpec: {"name": "ada"},
    Message: {"text": "x"},
    Event: {"type": "x"},
}


@dataclass(frozen=True)
class Field:
    """The limit of one field. `make` makes the value of a size; one of `limit` is taken, one beyond it is not.

    `step` is 1 where a larger value is refused and -1 where a smaller one is. `unit` is of the size.
    """

    model: type[BaseModel]
    place: str
    make: Make
    limit: int
    step: int = 1
    unit: str = "characters"

    @property
    def id(self) -> str:
        """The name of the limit in the list of tests."""
        return f"{self.model.__name__}.{self.place}{'<=' if self.step > 0 else '>='}{self.limit}"

    def filled(self, size: int) -> dict[str, Any]:
        """Return the whole object, with a value of that size at the place."""
        return {**_NEEDED.get(self.model, {}), self.place.split(".")[0]: self.make(size)}


FIELDS = [
    Field(AgentSpec, "name", chars, 100),
    Field(AgentSpec, "name", chars, 1, -1),
    Field(AgentSpec, "purpose", chars, 20_000),
    Field(AgentSpec, "instructions", chars, 100_000),
    Field(AgentSpec, "version", chars, 100),
    Field(AgentSpec, "model", models, 8, unit="models"),
    Field(AgentSpec, "tools", tools, 128, unit="tools"),
    Field(AgentSpec, "tools.item", one(chars), 100),
    Field(AgentSpec, "permissions", texts, 128, unit="permissions"),
    Field(AgentSpec, "permissions.item", one(chars), 100),
    Field(AgentSpec, "skills", texts, 16, unit="skills"),
    Field(AgentSpec, "skills.item", one(chars), 100),
    Field(AgentSpec, "skills.item", one(chars), 1, -1),
    Field(AgentSpec, "blocks", blocks, 16, unit="blocks"),
    Field(AgentSpec, "blocks.item.key", one(key), 200),
    Field(AgentSpec, "blocks.item.key", one(key), 1, -1),
    Field(AgentSpec, "triggers", triggers, 64, unit="triggers"),
    Field(AgentSpec, "temperature", number, 2, unit=""),
    Field(AgentSpec, "temperature", number, 0, -1, unit=""),
    Field(AgentSpec, "max_output_tokens", number, 1, -1, unit="tokens"),
    Field(AgentSpec, "max_output_tokens", number, 1_000_000_000, unit="tokens"),
    Field(AgentSpec, "max_steps", number, 1000, unit="steps"),
    Field(AgentSpec, "max_steps", number, 1, -1, unit="steps"),
    Field(AgentSpec, "max_repeats", number, 100, unit="calls"),
    Field(AgentSpec, "max_repeats", number, 1, -1, unit="calls"),
    Field(AgentSpec, "batch", number, 100, unit="messages"),
    Field(AgentSpec, "batch", number, 1, -1, unit="messages"),
    Field(AgentSpec, "mailbox_limit", number, 1, -1, unit="messages"),
    Field(AgentSpec, "patience", number, 0, -1, unit="seconds"),
    Field(AgentSpec, "context_tokens", number, 1000, -1, unit="tokens"),
    Field(AgentSpec, "context_tokens", number, 1_000_000_000, unit="tokens"),
    Field(AgentSpec, "rollover_events", number, 20_000, unit="events"),
    Field(AgentSpec, "rollover_events", number, 50, -1, unit="events"),
    Field(IntervalTrigger, "every", tenths, 1, -1, unit="tenths of a second"),
    Field(EventTrigger, "event", chars, 200),
    Field(EventTrigger, "event", chars, 1, -1),
    Field(Message, "text", chars, 1, -1),
    Field(Message, "id", chars, 200),
    Field(Message, "sender", chars, 200),
    Field(Message, "priority", number, 5, unit=""),
    Field(Message, "priority", number, 1, -1, unit=""),
    Field(Message, "importance", number, 5, unit=""),
    Field(Message, "importance", number, 0, -1, unit=""),
    Field(Message, "images", images, 20, unit="pictures"),
    Field(Message, "topic", chars, 100),
    Field(Message, "parts", parts, 20, unit="parts"),
    Field(Message, "correlation", chars, 200),
    Field(Message, "causation", texts, 64, unit="messages"),
    Field(Message, "causation.item", one(chars), 200),
    Field(Message, "waiting", texts, 64, unit="waits"),
    Field(Message, "waiting.item", one(chars), 200),
    Field(Message, "task", chars, 200),
    Field(Message, "traceparent", chars, 100),
    Field(Message, "sequence.stream", lambda size: sequence(stream="s" * size), 64),
    Field(Message, "sequence.stream", lambda size: sequence(stream="s" * size), 1, -1),
    Field(Message, "sequence.born", lambda size: sequence(born=size), 0, -1, unit="milliseconds"),
    Field(Message, "sequence.born", lambda size: sequence(born=size), 2**53 - 1, unit="milliseconds"),
    Field(Message, "sequence.number", lambda size: sequence(number=size), 1, -1, unit=""),
    Field(Message, "sequence.number", lambda size: sequence(number=size), 2**53 - 1, unit=""),
    Field(Event, "type", chars, 200),
    Field(Event, "type", chars, 1, -1),
    Field(Event, "source", chars, 500),
    Field(Event, "id", chars, 200),
    Field(Stop, "reason", chars, 500),
    Field(Lookup, "ids", texts, 1000, unit="ids"),
]
"""One row, one limit."""
