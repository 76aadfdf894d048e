"""Shared by all tests: one real Temporal server for the whole run."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator, Generator

import hypothesis
import pytest
import pytest_asyncio
from pytest_asyncio import is_async_test
from temporalio.testing import WorkflowEnvironment

from aos.client import AosClient
from engine.postgres import running_postgres
from engine.server import running_server

_ON_THE_SERVER = "temporal"

_USUAL_LIMIT = 60.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make chaos` run the long forms of the tests of reliability, and any run choose its seed."""
    parser.addoption("--long", action="store_true", help="run the long forms of the tests of reliability")
    parser.addoption("--seed", type=int, default=20_261_123, help="what the tests of reliability draw chance from")


@pytest.fixture(scope="session")
def long_form(request: pytest.FixtureRequest) -> bool:
    """Whether tests run as long as they should before a release, or as short as everybody can wait for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What chance is drawn from. A test that fails names it, so that the same run can be had again."""
    return int(str(request.config.getoption("--seed")))


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start, also where the tests run in the background, which ignores it.

    What a property takes for one example says more of the machine than of the property.
    """
    hypothesis.settings.register_profile("any machine", deadline=None)
    hypothesis.settings.load_profile("any machine")
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that use the server in the event loop in which it was started, and those that take long first.

    Whoever runs the last tests of all is then not left alone with one of minutes.
    """
    items.sort(key=_longest, reverse=True)
    session_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if isinstance(item, pytest.Function) and is_async_test(item) and _ON_THE_SERVER in item.fixturenames:
            item.add_marker(session_loop, append=False)


def _longest(item: pytest.Item) -> float:
    """Return how long a test may take, in seconds."""
    limit = item.get_closest_marker("timeout")
    return float(limit.args[0]) if limit else _USUAL_LIMIT


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal() -> AsyncGenerator[WorkflowEnvironment]:
    """A Temporal dev server. Its client has AOS's plugin."""
    async with running_server(None) as environment:
        yield environment


@pytest.fixture
def client(temporal: WorkflowEnvironment) -> AosClient:
    """A client of the server, without a worker behind it."""
    return AosClient(temporal.client)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of a Postgres server with pgvector."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server.get_uri()
