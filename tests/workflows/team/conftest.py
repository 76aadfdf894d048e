"""Teams of puppets on a real server."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from engine.server import isolated
from engine.theatre import Theatre, open_theatre
from engine.tools import stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Theatre]:
    """A worker that all the tests of this folder share."""
    client, folder = isolated(temporal.client), tmp_path_factory.mktemp("theatre")
    async with open_theatre(client, folder, apps=[stage]) as theatre:
        yield theatre


@pytest_asyncio.fixture(loop_scope="session")
async def theatre(house: Theatre) -> AsyncGenerator[Theatre]:
    """The worker; the teams that a test starts end with it."""
    yield house
    await house.end_all()
