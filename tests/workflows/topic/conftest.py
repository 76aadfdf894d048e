"""Topics and listeners on a real server."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from engine.harbour import Harbour, open_harbour
from engine.server import isolated


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def quay(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Harbour]:
    """A worker that all the tests of this folder share."""
    client, folder = isolated(temporal.client), tmp_path_factory.mktemp("harbour")
    async with open_harbour(client, folder) as harbour:
        yield harbour


@pytest_asyncio.fixture(loop_scope="session")
async def harbour(quay: Harbour) -> AsyncGenerator[Harbour]:
    """The worker; the topics and listeners that a test starts end with it."""
    yield quay
    await quay.end_all()
