"""Every store of records."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from aos.memory import MemoryStore
from aos_activities.memory.sqlite import SqliteMemory


@pytest_asyncio.fixture
async def memory(tmp_path: Path) -> AsyncGenerator[MemoryStore]:
    """An empty store."""
    opened = SqliteMemory(tmp_path / "new" / "memory.db")
    await opened.open()
    yield opened
    await opened.aclose()
