"""Shared memory: what agents know together, in records that have versions, writers and reasons.

A record has a key in a scope: `customers/acme` in `team/sales`. Each write makes a new version of it, and the versions
before stay, so that memory can be read as it was at any time. Writes come in transactions: all of one or nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, JsonValue, model_validator

from aos.address import full_address
from aos.json_value import Json, check_text
from aos.topic import TOPIC_CHARS
from aos.wire import Compact, Contract

ORGANISATION = "org"
"""The scope that belongs to everybody."""

KEY_CHARS = 200
TEXT_BYTES = 64 * 1024
"""Longest text of a record; a longer one belongs into the blob store, with a record that names it."""
DATA_BYTES = 64 * 1024
"""Largest data of a record, as JSON."""
WRITES = 100
"""Most writes of one transaction."""
FOUND = 100
"""Most records that one search or one page gives."""

Kind = Literal["fact", "episode", "procedure", "block"]
"""What a record is: something that is so, that happened, how something is done, or a text for agents' prompts."""

_OWNER_CHARS = TOPIC_CHARS - len("-memory")
_TASK = re.compile(r"(team/[^#]+)#[^\s#/]{1,200}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_scope(scope: str) -> str:
    """Return `scope`, whose memory it is, in full: `org`, an agent or a team by address, or a task as `team/x#id`.

    Raises:
        ValueError: It is none of these.
    """
    if scope == ORGANISATION:
        return scope
    if task := _TASK.fullmatch(scope):
        full_address(task[1])
        return scope
    try:
        address = full_address(scope)
    except ValueError as error:
        raise ValueError(f"{error}; a scope is `org`, `agent/<name>`, `team/<name>` or `team/<name>#<task>`") from None
    if address.startswith("topic/"):
        raise ValueError(f"{scope!r}: a topic has no memory; a scope is `org`, or that of an agent, a team or a task")
    return address


def scope_topic(scope: str) -> str:
    """Return the topic on which changes of a scope are made known: `org-memory`, `team-sales-memory`.

    Tasks have that of their team.
    """
    owner = scope.partition("#")[0].replace("/", "-")
    if len(owner) > _OWNER_CHARS:
        owner = f"{owner[: _OWNER_CHARS - 17]}-{hashlib.sha256(owner.encode()).hexdigest()[:16]}"
    return f"{owner}-memory"


def check_key(key: str) -> str:
    """Return `key` if it names a record: words with slashes between them, as `customers/acme`.

    Raises:
        ValueError: It is empty, has an empty part, or one of dots alone, or a character that cannot be seen.
    """
    check_text(key)
    if _CONTROL.search(key):
        raise ValueError("a key has no control characters")
    if any(not part.strip(" .") for part in key.split("/")):
        raise ValueError(f"{key!r}: the parts of a key, with slashes between them, are neither empty nor dots alone")
    return key


def _check_text(text: str) -> str:
    if "\0" in check_text(text):
        raise ValueError("a text has no NUL characters")
    if len(text) > TEXT_BYTES or len(text.encode()) > TEXT_BYTES:
        raise ValueError(f"it is longer than {TEXT_BYTES} bytes; put it into the blob store and remember its reference")
    return text


def _check_data(data: JsonValue) -> JsonValue:
    said = json.dumps(data, ensure_ascii=False)
    if len(said) > DATA_BYTES or len(said.encode()) > DATA_BYTES:
        raise ValueError(f"it is larger than {DATA_BYTES} bytes; put it into the blob store and remember its reference")
    if "\\u0000" in said.replace("\\\\", ""):
        raise ValueError("its texts have no NUL characters")
    return data


Scope = Annotated[str, AfterValidator(check_scope)]
Key = Annotated[str, Field(min_length=1, max_length=KEY_CHARS), AfterValidator(check_key)]
Text = Annotated[str, AfterValidator(_check_text)]
Data = Annotated[Json, AfterValidator(_check_data)]
Tag = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_check_text)]
Tags = Annotated[list[Tag], Field(max_length=20)]


class Position(Contract):
    """Where a record is."""

    scope: Scope
    key: Key


class Write(Contract, Compact):
    """One record as it is to be: `{"scope": "org", "key": "motto", "text": "Nothing is lost."}`."""

    scope: Scope
    key: Key
    text: Text = ""
    data: Data = None
    kind: Kind = "fact"
    tags: Tags = Field(default_factory=list[str])
    valid_from: AwareDatetime | None = None
    """Since when it is so, where that is not when it was written."""
    valid_to: AwareDatetime | None = None
    """Until when it is so."""
    expected: Annotated[int, Field(ge=0)] | None = None
    """The version that it is to follow: 0 where there is to be none. Nothing: whatever is there."""
    forget: bool = False
    """There is to be no such record any more. Its versions are kept."""

    @model_validator(mode="after")
    def _says_something(self) -> Write:
        if self.forget and (self.text or self.data is not None):
            raise ValueError("what is forgotten has neither `text` nor `data`")
        if not self.forget and not self.text and self.data is None:
            raise ValueError("it has neither `text` nor `data`; `forget` removes a record")
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("`valid_to` is not after `valid_from`")
        return self


class Reading(Contract, Compact):
    """A record that a transaction was made from: it must still have that version, 0 for none."""

    scope: Scope
    key: Key
    version: Annotated[int, Field(ge=0)]


class Transaction(Contract, Compact):
    """Writes that happen together or not at all. One `id` happens once, however often it is given."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    by: Annotated[str, Field(max_length=200)] = ""
    """Who writes: the address of an agent or a team, or a person's name."""
    why: Annotated[str, Field(max_length=2000)] = ""
    source: Annotated[str, Field(max_length=200)] = ""
    """The message from which it is known, by its id."""
    writes: Annotated[list[Write], Field(min_length=1, max_length=WRITES)]
    reads: Annotated[list[Reading], Field(max_length=WRITES)] = Field(default_factory=list[Reading])

    @model_validator(mode="after")
    def _each_once(self) -> Transaction:
        places = [(write.scope, write.key) for write in self.writes]
        if len(set(places)) < len(places):
            twice = next(place for place in places if places.count(place) > 1)
            raise ValueError(f"it writes {twice[1]!r} in {twice[0]} twice")
        return self


class Record(Compact):
    """One version of a record. `forgotten`: with this version it ceased to be."""

    scope: str
    key: str
    version: int
    text: str = ""
    data: Json = None
    kind: Kind = "fact"
    tags: list[str] = Field(default_factory=list[str])
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None
    forgotten: bool = False
    at: AwareDatetime
    """When it was written."""
    by: str = ""
    why: str = ""
    source: str = ""
    transaction: int
    """The number of the transaction in the log."""


class Committed(BaseModel):
    """What a transaction came to: its number in the log, and the versions that it made, in the order of its writes."""

    number: int
    at: AwareDatetime
    versions: list[int]
    repeated: bool = False
    """It had happened before, and nothing was written now."""


class LogEntry(BaseModel):
    """One transaction in the log. `changed` are the records that it wrote, with their new versions."""

    number: int
    id: str
    at: AwareDatetime
    by: str
    why: str
    source: str
    changed: list[Reading]


class Filter(Contract, Compact):
    """Which records are meant; without fields, all that there are now."""

    scopes: Annotated[list[Scope], Field(max_length=50)] = Field(default_factory=list[str])
    """Nothing: every scope."""
    kinds: list[Kind] = Field(default_factory=list[Kind])
    tags: Tags = Field(default_factory=list[str])
    """Those that have all of these."""
    prefix: Annotated[str, Field(max_length=KEY_CHARS)] = ""
    """Those whose key begins so."""
    valid_at: AwareDatetime | None = None
    """Those that are so at a time, as `valid_from` and `valid_to` say."""


class Search(Filter):
    """What to look for: records that have the words of `text`, or are near it in meaning, best first."""

    text: Annotated[str, Field(min_length=1, max_length=10_000)]
    limit: Annotated[int, Field(ge=1, le=FOUND)] = 10


class Found(BaseModel):
    """A record that a search has found. `places` are its places by words and by meaning, from 1."""

    record: Record
    score: float
    places: dict[Literal["words", "meaning"], int]


class Embedded(BaseModel):
    """Texts as vectors of one model. All that a store holds are of one model and one length."""

    model: str
    vectors: list[list[float] | None]


class Logged(BaseModel):
    """A transaction as it stands in a store, for another one to take over.

    `digest` is what its id stands for, in hexadecimal; `embedded` has the vectors of those of its writes that are
    newest.
    """

    number: int
    digest: str
    at: AwareDatetime
    transaction: Transaction
    embedded: Embedded | None = None


class MemoryStore(Protocol):
    """Where records live. What `commit` returned from is durable."""

    async def commit(self, transaction: Transaction, embedded: Embedded | None = None) -> Committed:
        """Write all of a transaction, or nothing. `embedded` has a vector for each write that is to be found by one.

        Raises:
            InvalidInput: The id was used for another transaction, or the vectors do not fit those that are there.
            MemoryConflict: A record is not at the version that was expected.
        """
        ...

    async def get(self, scope: str, key: str, as_of: AwareDatetime | None = None) -> Record | None:
        """Return a record as it is, or as it was at a time; None where there is or was none."""
        ...

    async def versions(
        self, scope: str, key: str, limit: int = FOUND, *, before: int | None = None
    ) -> Sequence[Record]:
        """Return the versions of a record, the newest first; with `before`, those before that version."""
        ...

    async def page(self, wanted: Filter, after: tuple[str, str] | None = None, limit: int = FOUND) -> Sequence[Record]:
        """Return the records that are wanted, by scope and key, after a scope and key."""
        ...

    async def search(self, wanted: Search, embedded: Embedded | None = None) -> Sequence[Found]:
        """Return what is found, best first. `embedded` has the vector of the text that is looked for.

        Raises:
            InvalidInput: The vector does not fit those that are there.
        """
        ...

    async def log(self, after: int = 0, limit: int = FOUND) -> Sequence[LogEntry]:
        """Return the transactions after a number, in their order."""
        ...

    async def last(self) -> int:
        """Return the number of the last transaction, 0 where there is none."""
        ...

    async def dump(self, after: int = 0, limit: int = FOUND) -> Sequence[Logged]:
        """Return the transactions after a number, with all that they wrote."""
        ...

    async def restore(self, transactions: Sequence[Logged]) -> None:
        """Take over transactions of another store as they are, all or none: the next in its log, without a gap.

        Raises:
            InvalidInput: They are not the next.
        """
        ...

    async def aclose(self) -> None:
        """Close what the store holds open."""
        ...
