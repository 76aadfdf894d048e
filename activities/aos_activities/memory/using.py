"""The activity by which those use shared memory who cannot reach it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel
from temporalio import activity

from aos.errors import InvalidInput, MemoryConflict, RetryableModelError, SetupError, TerminalModelError
from aos.memory_use import RESULT_BYTES, MemoryRequest, MemoryResult
from aos_activities.failures import retryable, terminal
from aos_activities.memory.access import MemoryAccess

T = TypeVar("T", bound=BaseModel)


class MemoryActivities:
    """Reads and writes shared memory."""

    def __init__(self, memory: MemoryAccess) -> None:
        self._memory = memory

    @activity.defn(name="use_memory")
    async def use_memory(self, request: MemoryRequest) -> MemoryResult:
        """Do one thing, and return what came of it.

        Raises:
            ApplicationError: `InvalidInput`, `MemoryConflict` with its `conflicts`, `SetupError` or
                `TerminalModelError`, which are not retried; or what the store or the model failed with, which is.
        """
        try:
            return await self._use(request)
        except MemoryConflict as error:
            raise terminal(error, conflicts=error.conflicts) from None
        except (InvalidInput, SetupError, TerminalModelError) as error:
            raise terminal(error) from None
        except RetryableModelError as error:
            raise retryable(error) from None

    async def _use(self, request: MemoryRequest) -> MemoryResult:
        store = self._memory.store
        result = MemoryResult()
        if request.commit:
            result.committed = await self._memory.commit(request.commit)
        elif get := request.get:
            result.record = await store.get(get.scope, get.key, get.as_of)
        elif wanted := request.versions:
            versions = await store.versions(wanted.scope, wanted.key, wanted.limit, before=wanted.before)
            result.records, result.more = _fitting(versions, wanted.limit)
        elif page := request.page:
            after = (page.after.scope, page.after.key) if page.after else None
            result.records, result.more = _fitting(await store.page(page, after, page.limit), page.limit)
        elif request.search:
            result.found, _ = _fitting(await self._memory.search(request.search), request.search.limit)
        elif log := request.log:
            result.entries, result.more = _fitting(await store.log(log.after, log.limit), log.limit)
        return result


def _fitting(found: Iterable[T], limit: int) -> tuple[list[T], bool]:
    """Return as many as a result can carry, one at least, and whether there may be more."""
    fitting: list[T] = []
    size = 0
    for each in found:
        size += len(each.model_dump_json().encode())
        if fitting and size > RESULT_BYTES:
            return fitting, True
        fitting.append(each)
    return fitting, len(fitting) >= limit
