"""Shared memory, from the Python client: what agents know together, to be read, searched and written."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from aos.connection import retrying
from aos.errors import InvalidInput, MemoryConflict
from aos.memory import FOUND, Committed, Filter, Found, Kind, LogEntry, Position, Record, Search, Transaction
from aos.memory_compaction import WHY, Compaction, Dropped
from aos.memory_use import (
    REQUEST_BYTES,
    USE_MEMORY_WORKFLOW,
    GetRecord,
    ListRecords,
    ListVersions,
    MemoryRequest,
    MemoryResult,
    ReadLog,
)
from aos.names import TASK_QUEUE
from aos.reading import check_size, read_object

_LIMIT = timedelta(minutes=6)
_FORGOTTEN_AT_ONCE = 50


class SharedMemory:
    """The memory that the agents of a Temporal server share; an `AosClient` has it as `memory`.

    Scopes are `org`, `agent/<name>`, `team/<name>` and `team/<name>#<task>`; a bare name is that of an agent.
    """

    def __init__(self, temporal: Client, task_queue: str = TASK_QUEUE) -> None:
        """Use a Temporal client that has `AosPlugin` among its plugins."""
        self._temporal = temporal
        self._queue = task_queue

    async def commit(self, transaction: Transaction | Mapping[str, object]) -> Committed:
        """Write all of a transaction, or nothing. One id happens once; a transaction without one gets a new one.

        Raises:
            InvalidInput: It does not fit, or its id was used for another.
            MemoryConflict: A record is not at the version that was expected; `conflicts` says which.
        """
        if isinstance(transaction, Transaction):
            read = transaction
        else:
            read = read_object(Transaction, "transaction", {"id": _new_id(), **transaction})
        result = await self._use(MemoryRequest(commit=read))
        assert result.committed is not None
        return result.committed

    async def put(
        self,
        scope: str,
        key: str,
        text: str = "",
        *,
        data: object = None,
        kind: Kind = "fact",
        tags: Sequence[str] = (),
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
        expected: int | None = None,
        by: str = "",
        why: str = "",
    ) -> int:
        """Write one record, and return its new version.

        Args:
            scope: Whose memory it is.
            key: Its name there, such as `customers/acme`.
            text: What it says.
            data: The same as data, or what belongs to it.
            kind: `fact`, `episode`, `procedure`, or `block`, a text for agents' prompts.
            tags: By which it may be filtered.
            valid_from: Since when it is so, where that is not when it is written.
            valid_to: Until when it is so.
            expected: The version that it is to follow, 0 for none; nothing: whatever is there.
            by: Who writes.
            why: The reason, for the log.

        Raises:
            InvalidInput: Something does not fit.
            MemoryConflict: The record is not at the version that was expected.
        """
        fields = {"scope": scope, "key": key, "text": text, "data": data, "kind": kind, "tags": [*tags]}
        valid = {"valid_from": valid_from, "valid_to": valid_to, "expected": expected}
        return (await self.commit({"by": by, "why": why, "writes": [{**fields, **valid}]})).versions[0]

    async def forget(self, scope: str, key: str, *, expected: int | None = None, by: str = "", why: str = "") -> int:
        """Have it that there is no such record any more, and return the version that says so. Its versions are kept.

        Raises:
            InvalidInput: The scope or the key does not fit.
            MemoryConflict: The record is not at the version that was expected.
        """
        write = {"scope": scope, "key": key, "expected": expected, "forget": True}
        return (await self.commit({"by": by, "why": why, "writes": [write]})).versions[0]

    async def get(self, scope: str, key: str, as_of: datetime | None = None) -> Record | None:
        """Return a record as it is, or as it was at a time; None where there is or was none.

        Raises:
            InvalidInput: The scope, the key or the time does not fit.
        """
        wanted = read_object(GetRecord, "record", {"scope": scope, "key": key, "as_of": as_of})
        return (await self._use(MemoryRequest(get=wanted))).record

    async def versions(self, scope: str, key: str) -> AsyncIterator[Record]:
        """Yield the versions of a record, the newest first.

        Raises:
            InvalidInput: The scope or the key does not fit.
        """
        wanted = read_object(ListVersions, "record", {"scope": scope, "key": key})

        def older(page: MemoryResult) -> MemoryRequest:
            return MemoryRequest(versions=wanted.model_copy(update={"before": page.records[-1].version}))

        async for page in self._pages(MemoryRequest(versions=wanted), older):
            for record in page.records:
                yield record

    async def records(self, wanted: Filter | Mapping[str, object] | None = None) -> AsyncIterator[Record]:
        """Yield the records that there are, or those that a filter wants, in the order of scopes and keys.

        Raises:
            InvalidInput: The filter does not fit.
        """
        fields = wanted.model_dump() if isinstance(wanted, Filter) else dict(wanted or {})
        first = read_object(ListRecords, "filter", fields)

        def following(page: MemoryResult) -> MemoryRequest:
            last = Position(scope=page.records[-1].scope, key=page.records[-1].key)
            return MemoryRequest(page=first.model_copy(update={"after": last}))

        async for page in self._pages(MemoryRequest(page=first), following):
            for record in page.records:
                yield record

    async def compact(
        self,
        wanted: Filter | Mapping[str, object] | None = None,
        *,
        episodes: int | None = None,
        dry_run: bool = False,
        by: str = "",
    ) -> list[Dropped]:
        """Forget what need not stand in memory, and return it. Versions are kept; what changes meanwhile stays.

        That is what is no longer so (`valid_to`), and what stands in a scope twice, of which the newest is kept.

        Args:
            wanted: Which records are looked at; nothing: all.
            episodes: How many episodes of each scope are kept, the newest; nothing: all.
            dry_run: Say what would be forgotten, and forget nothing.
            by: Who does it, for the log.

        Raises:
            InvalidInput: The filter does not fit, or `episodes` is below zero.
        """
        if episodes is not None and episodes < 0:
            raise InvalidInput(
                "episodes", [f"{episodes} is below zero; give how many are kept, or nothing to keep all"]
            )
        compaction = Compaction(datetime.now(UTC), episodes)
        async for record in self.records(wanted):
            compaction.look_at(record)
        dropped = compaction.dropped()
        if dry_run:
            return dropped
        forgotten: list[Dropped] = []
        for reason, why in WHY.items():
            left = [each for each in dropped if each.reason == reason]
            for first in range(0, len(left), _FORGOTTEN_AT_ONCE):
                forgotten += await self._forget_unchanged(left[first : first + _FORGOTTEN_AT_ONCE], by, why)
        return sorted(forgotten)

    async def _forget_unchanged(self, batch: list[Dropped], by: str, why: str) -> list[Dropped]:
        """Forget those of a batch that nobody has changed since, and return them."""
        while batch:
            writes = [
                {"scope": each.scope, "key": each.key, "expected": each.version, "forget": True} for each in batch
            ]
            try:
                await self.commit({"by": by, "why": why, "writes": writes})
                break
            except MemoryConflict as conflict:
                changed = {(scope, key) for scope, key, *_ in conflict.conflicts}
                batch = [each for each in batch if (each.scope, each.key) not in changed]
        return batch

    async def search(self, wanted: str | Search | Mapping[str, object]) -> list[Found]:
        """Return records that have the words of a text, or are near it in meaning, the best first.

        Raises:
            InvalidInput: The search does not fit.
        """
        fields: object = {"text": wanted} if isinstance(wanted, str) else wanted
        read = wanted if isinstance(wanted, Search) else read_object(Search, "search", fields)
        return (await self._use(MemoryRequest(search=read))).found

    async def log(self, after: int = 0) -> AsyncIterator[LogEntry]:
        """Yield the transactions after a number, in their order.

        Raises:
            InvalidInput: The number is below zero.
        """
        wanted = read_object(ReadLog, "log", {"after": after, "limit": FOUND})

        def following(page: MemoryResult) -> MemoryRequest:
            return MemoryRequest(log=wanted.model_copy(update={"after": page.entries[-1].number}))

        async for page in self._pages(MemoryRequest(log=wanted), following):
            for entry in page.entries:
                yield entry

    async def _pages(
        self, request: MemoryRequest, following: Callable[[MemoryResult], MemoryRequest]
    ) -> AsyncIterator[MemoryResult]:
        """Yield what comes of a request, and of those that follow while there is more: then no page is empty."""
        while True:
            page = await self._use(request)
            yield page
            if not page.more:
                return
            request = following(page)

    async def _use(self, request: MemoryRequest) -> MemoryResult:
        check_size("request", request, REQUEST_BYTES)
        # A write that is made again because the server was away finds the one that was begun.
        name = hashlib.sha256(request.model_dump_json().encode()).hexdigest()[:32] if request.commit else _new_id()

        async def attempt() -> MemoryResult:
            return await self._temporal.execute_workflow(
                USE_MEMORY_WORKFLOW,
                request,
                id=f"aos/memory/{name}",
                task_queue=self._queue,
                result_type=MemoryResult,
                execution_timeout=_LIMIT,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )

        return await retrying("", attempt)


def _new_id() -> str:
    return uuid4().hex
