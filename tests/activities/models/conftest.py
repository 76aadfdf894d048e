"""Every provider, in front of a server that speaks its wire format."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from aos.provider import ModelProvider
from aos_activities.models.bedrock import BedrockProvider
from aos_activities.models.openai import AzureOpenAIProvider, OpenAIProvider
from wire import bedrock_converse, openai_chat
from wire.bench import Bench
from wire.credentials import KEY, only_these
from wire.server import ModelServer

PROVIDERS = ("openai", "azure-openai", "bedrock")


@pytest.fixture
def openai_server() -> Iterator[ModelServer]:
    with ModelServer(openai_chat.speak) as server:
        yield server


@pytest.fixture
def bedrock_server() -> Iterator[ModelServer]:
    with ModelServer(bedrock_converse.speak) as server:
        yield server


@pytest.fixture(autouse=True)
def only_these_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is set up on this machine out of the tests."""
    only_these(monkeypatch)


def _provider(name: str, url: str) -> ModelProvider:
    if name == "bedrock":
        return BedrockProvider(region="eu-central-1", endpoint_url=url)
    if name == "azure-openai":
        return AzureOpenAIProvider(endpoint=url, api_key=KEY, api_version="2024-10-21")
    return OpenAIProvider(name=name, api_key=KEY, base_url=f"{url}/v1")


async def _bench(name: str, server: ModelServer, streamed: bool) -> AsyncIterator[Bench]:
    wire = bedrock_converse if name == "bedrock" else openai_chat
    model = "eu.amazon.nova-lite-v1:0" if name == "bedrock" else "gpt-4o-mini"
    provider = _provider(name, server.url)
    yield Bench(provider, server, wire, model, streamed)
    await provider.aclose()


@pytest_asyncio.fixture(params=["whole", "streamed"])
async def openai(request: pytest.FixtureRequest, openai_server: ModelServer) -> AsyncIterator[Bench]:
    async for bench in _bench("openai", openai_server, request.param == "streamed"):
        yield bench


@pytest_asyncio.fixture(params=["whole", "streamed"])
async def bedrock(request: pytest.FixtureRequest, bedrock_server: ModelServer) -> AsyncIterator[Bench]:
    async for bench in _bench("bedrock", bedrock_server, request.param == "streamed"):
        yield bench


@pytest_asyncio.fixture
async def azure(openai_server: ModelServer) -> AsyncIterator[Bench]:
    async for bench in _bench("azure-openai", openai_server, False):
        yield bench


async def _any(request: pytest.FixtureRequest, streamed: bool) -> AsyncIterator[Bench]:
    server = request.getfixturevalue("bedrock_server" if request.param[0] == "bedrock" else "openai_server")
    async for bench in _bench(request.param[0], server, streamed):
        yield bench


@pytest_asyncio.fixture(params=[(name, how) for name in PROVIDERS for how in ("whole", "streamed")], ids="-".join)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Every provider, whole and streamed."""
    async for bench in _any(request, request.param[1] == "streamed"):
        yield bench


@pytest_asyncio.fixture(params=[(name,) for name in PROVIDERS], ids="".join)
async def streaming(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Every provider, streamed."""
    async for bench in _any(request, True):
        yield bench
