"""Which publications a subscriber wants: filters as data, put together with `&`, `|` and `~`.

    Sender(senders=["agent/radar*"]) & ~Equals(path="ship.name", value="Corvina")

In a file the same is `{type: all, of: [{type: sender, senders: [agent/radar*]}, {type: not, of: {...}}]}`. A filter is
asked about a message as it was published.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue

from aos.json_value import Json
from aos.message import MESSAGE_ID_CHARS, Kind, Message
from aos.parts import DataPart
from aos.wire import Compact, Contract

FILTER_BYTES = 4 * 1024
"""Largest filter, as JSON: it crosses every rollover of its topic."""

FILTER_DEPTH = 16
"""Deepest nesting of filters in filters."""

_MOST = 100


def _type_needed(schema: dict[str, Any]) -> None:
    schema["required"] = ["type", *schema.get("required", [])]


def _as_steps(path: object) -> object:
    return (path.split(".") if path else []) if isinstance(path, str) else path


Path = Annotated[list[str], BeforeValidator(_as_steps, json_schema_input_type=list[str] | str), Field(max_length=_MOST)]
"""A way into data: names of fields and places in lists, as `ship.ports.0`; a list where a name has a dot in it."""


class _Filter(Contract, Compact):
    model_config: ClassVar[ConfigDict] = ConfigDict(json_schema_extra=_type_needed)

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        raise NotImplementedError

    @property
    def depth(self) -> int:
        """How many filters lie in each other here, this one among them."""
        return 1

    def __and__(self, other: _Filter) -> AllOf:
        return AllOf.model_validate({"of": [self, other]})

    def __or__(self, other: _Filter) -> AnyOf:
        return AnyOf.model_validate({"of": [self, other]})

    def __invert__(self) -> Not:
        return Not.model_validate({"of": self})


class AllOf(_Filter):
    """Holds when each of them holds."""

    type: Literal["all"] = "all"
    of: Annotated[list[Filter], Field(min_length=1, max_length=_MOST)]

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        return all(part.holds(message) for part in self.of)

    @property
    def depth(self) -> int:
        """How many filters lie in each other here."""
        return 1 + max(part.depth for part in self.of)


class AnyOf(_Filter):
    """Holds when one of them holds."""

    type: Literal["any"] = "any"
    of: Annotated[list[Filter], Field(min_length=1, max_length=_MOST)]

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        return any(part.holds(message) for part in self.of)

    @property
    def depth(self) -> int:
        """How many filters lie in each other here."""
        return 1 + max(part.depth for part in self.of)


class Not(_Filter):
    """Holds when the other one does not."""

    type: Literal["not"] = "not"
    of: Filter

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        return not self.of.holds(message)

    @property
    def depth(self) -> int:
        """How many filters lie in each other here."""
        return 1 + self.of.depth


class KindIs(_Filter):
    """The message was sent as one of these kinds, for instance as a question."""

    type: Literal["kind"] = "kind"
    kinds: Annotated[list[Kind], Field(min_length=1, max_length=_MOST)]

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        return message.kind in self.kinds


class Sender(_Filter):
    """One of these sent it. `*` at the end matches any ending; a bare name is that of an agent too."""

    type: Literal["sender"] = "sender"
    senders: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MESSAGE_ID_CHARS)]], Field(min_length=1, max_length=_MOST)
    ]

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        return any(_is_called(message.sender, wanted) for wanted in self.senders)


class Priority(_Filter):
    """It is as urgent as that or more. 1 is the most urgent."""

    type: Literal["priority"] = "priority"
    at_most: Annotated[int, Field(ge=1, le=5)]

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        return message.priority <= self.at_most


class Text(_Filter):
    """Its text has this in it. Case counts where `case` is set."""

    type: Literal["text"] = "text"
    contains: Annotated[str, Field(min_length=1, max_length=1000)]
    case: bool = False

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        if self.case:
            return self.contains in message.text
        return self.contains.casefold() in message.text.casefold()


class _AtPath(_Filter):
    path: Path
    part: Annotated[str, Field(max_length=200)] = ""
    """Look only into data parts of this name."""

    def found(self, message: Message) -> Iterator[JsonValue]:
        """Yield what each data part of a message has at the path."""
        for part in message.parts:
            if isinstance(part, DataPart) and self.part in ("", part.name):
                try:
                    yield _at(part.data, self.path)
                except LookupError:
                    continue


class Equals(_AtPath):
    """One of its data parts has this value at the path. `true` is no number, and 1 is 1.0."""

    type: Literal["equals"] = "equals"
    value: Json

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        return any(same(found, self.value) for found in self.found(message))


class OneOf(_AtPath):
    """One of its data parts has one of these values at the path."""

    type: Literal["in"] = "in"
    values: Annotated[list[Json], Field(min_length=1, max_length=1000)]

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        return any(same(found, value) for found in self.found(message) for value in self.values)


class Exists(_AtPath):
    """One of its data parts has something at the path, be it null."""

    type: Literal["exists"] = "exists"

    def holds(self, message: Message) -> bool:
        """Return whether the subscriber wants `message`."""
        return any(True for _ in self.found(message))


Filter = Annotated[
    AllOf | AnyOf | Not | KindIs | Sender | Priority | Text | Equals | OneOf | Exists, Field(discriminator="type")
]


def check_filter(given: _Filter) -> _Filter:
    """Return `given` if it is small enough to be carried along.

    Raises:
        ValueError: It is larger than `FILTER_BYTES`, or nested more deeply than `FILTER_DEPTH`.
    """
    if given.depth > FILTER_DEPTH:
        raise ValueError(f"filters lie in filters {given.depth} deep, the limit is {FILTER_DEPTH}")
    if (size := len(given.model_dump_json().encode())) > FILTER_BYTES:
        raise ValueError(f"the filter has {size} bytes, the limit is {FILTER_BYTES}; filter by less here")
    return given


SmallFilter = Annotated[Filter, AfterValidator(check_filter)]
"""A filter as a subscription has it."""


def same(one: JsonValue, other: JsonValue) -> bool:
    """Return whether two JSON values are the same. Python takes `true` for 1; JSON does not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def _at(data: JsonValue, path: list[str]) -> JsonValue:
    """Return what lies at the path.

    Raises:
        LookupError: Nothing does.
    """
    for step in path:
        if isinstance(data, dict):
            data = data[step]
        elif isinstance(data, list) and step.isascii() and step.isdecimal() and len(step) <= _INDEX_DIGITS:
            data = data[int(step)]
        else:
            raise LookupError(step)
    return data


_INDEX_DIGITS = 9


def _is_called(sender: str, wanted: str) -> bool:
    names = (sender, sender.removeprefix("agent/")) if "/" not in wanted else (sender,)
    if wanted.endswith("*"):
        return any(name.startswith(wanted[:-1]) for name in names)
    return wanted in names


for _model in (AllOf, AnyOf, Not):
    cast("type[_Filter]", _model).model_rebuild()
