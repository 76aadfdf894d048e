"""Copying a memory from one store to another, with all its versions."""

from __future__ import annotations

from collections.abc import Callable

from aos.errors import InvalidInput
from aos.memory import Logged, MemoryStore

_AT_ONCE = 100


async def copy_memory(
    source: MemoryStore, target: MemoryStore, told: Callable[[int], object] = lambda number: None
) -> int:
    """Have `target` take over what it lacks, and return how many transactions that were; `told` hears of each number.

    It may be broken off and begun again, and goes on where it was.

    Raises:
        InvalidInput: What is in `target` is not the beginning of what is in `source`; nothing was written.
    """
    last = await _last(target)
    if last is not None:
        there = await source.dump(last.number - 1, 1)
        if not there or (there[0].number, there[0].digest, there[0].at) != (last.number, last.digest, last.at):
            problem = f"it has {last.number} transactions that are not those of the source; copy into an empty one"
            raise InvalidInput("target", [problem])
    copied, after = 0, last.number if last else 0
    while transactions := await source.dump(after, _AT_ONCE):
        await target.restore(transactions)
        copied, after = copied + len(transactions), transactions[-1].number
        told(after)
    return copied


async def _last(store: MemoryStore) -> Logged | None:
    """Return the last transaction of a store."""
    low, high = 0, 1
    while await store.log(high - 1, 1):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if await store.log(middle - 1, 1) else (low, middle)
    return (await store.dump(low - 1, 1))[0] if low else None
