"""What is asked of the shared memory from outside, and what comes back: the input and the result of `UseMemory`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, model_validator

from aos.memory import FOUND, Committed, Filter, Found, Key, LogEntry, Position, Record, Scope, Search, Transaction
from aos.wire import Compact, Contract

USE_MEMORY_WORKFLOW = "UseMemory"
"""Workflow type of a short workflow that does one thing to the shared memory, for those who cannot reach it."""

REQUEST_BYTES = 1024 * 1024
"""Largest request, as JSON. Temporal refuses a payload over 2 MiB."""

RESULT_BYTES = 1024 * 1024
"""About the largest result, as JSON; what there is beyond it is asked for next."""

_Limit = Annotated[int, Field(ge=1, le=FOUND)]


class GetRecord(Contract, Compact):
    """Asks for one record: `{"scope": "org", "key": "motto"}`."""

    scope: Scope
    key: Key
    as_of: AwareDatetime | None = None
    """As it was at that time."""


class ListVersions(Contract, Compact):
    """Asks for the versions of one record, the newest first."""

    scope: Scope
    key: Key
    before: Annotated[int, Field(ge=1)] | None = None
    """Only versions before this one."""
    limit: _Limit = FOUND


class ListRecords(Filter):
    """Asks for records, in the order of scopes and keys."""

    after: Position | None = None
    limit: _Limit = FOUND


class ReadLog(Contract, Compact):
    """Asks for the transactions after a number, in their order."""

    after: Annotated[int, Field(ge=0)] = 0
    limit: _Limit = FOUND


class MemoryRequest(Contract, Compact):
    """One thing to do to the shared memory: `{"search": {"text": "storm"}}`."""

    commit: Transaction | None = None
    get: GetRecord | None = None
    versions: ListVersions | None = None
    page: ListRecords | None = None
    search: Search | None = None
    log: ReadLog | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> MemoryRequest:
        fields = list(type(self).model_fields)
        given = [name for name in fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(fields)}, not {' and '.join(given) or 'nothing'}")
        return self


class MemoryResult(Compact):
    """What came of a request: each kind of request fills in one field.

    `more`: there is more than fits; ask for what comes after the last one.
    """

    committed: Committed | None = None
    record: Record | None = None
    records: list[Record] = Field(default_factory=list[Record])
    found: list[Found] = Field(default_factory=list[Found])
    entries: list[LogEntry] = Field(default_factory=list[LogEntry])
    more: bool = False
