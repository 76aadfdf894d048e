"""Blocks: texts of shared memory that stand in the prompts of agents, and change there when they are changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aos.memory import MemoryStore, Position
from aos_activities.memory.shown import content


async def with_blocks(system: str, blocks: Sequence[Position], memory: MemoryStore) -> str:
    """Return what stands in front of a conversation, with the blocks as they are now. What is not there is left out."""
    if not blocks:
        return system
    records = await asyncio.gather(*(memory.get(block.scope, block.key) for block in blocks))
    texts = [
        f"[{record.scope} {record.key}, version {record.version}]\n{content(record)}"
        for record in records
        if record is not None
    ]
    return "\n\n".join([system, *texts])
