"""Agents on real workers and a real server."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from engine.engine import Engine, running_engine
from engine.server import apart, isolated
from engine.tools import workshop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workers(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Engine]:
    """Workers that all the tests of this folder share, for starting them takes longer than most tests."""
    client, folder = isolated(await apart(temporal.client, "engine")), tmp_path_factory.mktemp("engine")
    async with running_engine(client, folder, apps=[workshop]) as engine:
        yield engine


@pytest_asyncio.fixture(loop_scope="session")
async def engine(workers: Engine) -> AsyncGenerator[Engine]:
    """The workers; the agents that a test starts end with it."""
    yield workers
    await workers.end_all()
