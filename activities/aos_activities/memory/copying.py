"""Copying a memory from one store to another, with all its versions."""

from __future__ import annotations

from collections.abc import Callable

from aos.errors import InvalidInput
from aos.memory import MemoryStore

_AT_ONCE = 100


async def copy_memory(
    source: MemoryStore, target: MemoryStore, told: Callable[[int], object] = lambda number: None
) -> int:
    """Have `target` take over what it lacks, and return how many transactions that were; `told` hears of each number.

    It may be broken off and begun again, and goes on where it was.

    Raises:
        InvalidInput: What is in `target` is not the beginning of what is in `source`; nothing was written.
    """
    copied, after = 0, await target.last()
    if after:
        (mine,), there = await target.dump(after - 1, 1), await source.dump(after - 1, 1)
        if [(each.number, each.digest, each.at) for each in there] != [(mine.number, mine.digest, mine.at)]:
            problem = f"it has {after} transactions that are not those of the source; copy into an empty one"
            raise InvalidInput("target", [problem])
    while transactions := await source.dump(after, _AT_ONCE):
        await target.restore(transactions)
        copied, after = copied + len(transactions), transactions[-1].number
        told(after)
    return copied
