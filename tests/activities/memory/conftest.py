"""Every store of records."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from aos.memory import MemoryStore
from aos_activities.memory.postgres import PostgresMemory
from aos_activities.memory.sqlite import SqliteMemory


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def memory(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[MemoryStore]:
    """An empty store."""
    if request.param == "sqlite":
        opened = SqliteMemory(tmp_path / "new" / "memory.db")
    else:
        opened = PostgresMemory(request.getfixturevalue("postgres"), schema=f"memory_{uuid4().hex[:12]}")
    await opened.open()
    yield opened
    await opened.aclose()
