"""Every embedder, in front of a server that speaks its wire format."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import pytest
import pytest_asyncio

from aos.embedding import EMBEDDED_CHARS, Embedder
from aos.errors import ModelError, RetryableModelError, TerminalModelError
from aos_activities.embedding.bedrock import BedrockEmbedder
from aos_activities.embedding.openai import OpenAIEmbedder
from wire import embeddings
from wire.credentials import KEY, only_these
from wire.embeddings import vector_of
from wire.script import KeepSilent, Ramble, Refuse, Say
from wire.server import ModelServer


@pytest.fixture(autouse=True)
def only_these_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is set up on this machine out of the tests."""
    only_these(monkeypatch)


@pytest.fixture(params=["openai", "titan", "cohere"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which embedder it is."""
    return str(request.param)


@pytest.fixture
def server(kind: str) -> Generator[ModelServer]:
    """The server that it asks."""
    with ModelServer(embeddings.speak_openai if kind == "openai" else embeddings.speak_bedrock) as opened:
        yield opened


@pytest_asyncio.fixture
async def embedder(kind: str, server: ModelServer) -> AsyncGenerator[Embedder]:
    """The embedder."""
    made: Embedder
    if kind == "openai":
        made = OpenAIEmbedder(model="small", api_key=KEY, base_url=f"{server.url}/v1", timeout=1)
    else:
        model = "cohere.embed-v4" if kind == "cohere" else "amazon.titan-embed-text-v2:0"
        made = BedrockEmbedder(model=model, region="eu-central-1", endpoint_url=server.url, timeout=1)
    yield made
    await made.aclose()


async def test_every_text_has_its_vector_however_many_there_are(embedder: Embedder, server: ModelServer) -> None:
    texts = ["x" * number for number in range(1, 121)]
    server.will(*(Say() for _ in texts))
    assert await embedder.embed(texts) == [vector_of(text) for text in texts]
    assert await embedder.embed([]) == []


async def test_of_a_long_text_the_beginning_is_embedded_and_of_none_a_space(
    embedder: Embedder, server: ModelServer, kind: str
) -> None:
    server.will(Say(), Say())
    (long, none) = await embedder.embed(["y" * 100_000, ""])
    assert long[0] == (2_048 if kind == "cohere" else EMBEDDED_CHARS)
    assert none == vector_of(" ")


@pytest.mark.parametrize(
    ("refusal", "error"), [("rate", RetryableModelError), ("server", RetryableModelError), ("key", TerminalModelError)]
)
async def test_a_refusal_is_tried_again_or_not_as_those_of_models_are(
    embedder: Embedder, server: ModelServer, refusal: str, error: type[ModelError]
) -> None:
    server.will(Refuse(refusal))  # pyright: ignore[reportArgumentType] - one of the kinds
    with pytest.raises(error) as raised:
        await embedder.embed(["hello"])
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("body", [b"[]", b'{"data": [', b'{"data": [], "embedding": "x", "embeddings": []}', b"\xff"])
async def test_an_answer_that_is_none_is_tried_again(embedder: Embedder, server: ModelServer, body: bytes) -> None:
    server.will(Ramble(body))
    with pytest.raises(RetryableModelError):
        await embedder.embed(["hello"])


async def test_silence_ends_at_the_time_out_and_is_tried_again(embedder: Embedder, server: ModelServer) -> None:
    server.will(KeepSilent())
    with pytest.raises(RetryableModelError, match="1 s"):
        await embedder.embed(["hello"])


async def test_cohere_is_told_what_is_looked_for_and_what_is_to_be_found(
    embedder: Embedder, server: ModelServer, kind: str
) -> None:
    server.will(Say(), Say())
    await embedder.embed(["a"])
    await embedder.embed(["a"], question=True)
    if kind == "cohere":
        assert [each.body["input_type"] for each in server.received] == ["search_document", "search_query"]
    else:
        assert server.received[0].body == server.received[1].body


async def test_the_name_of_a_model_says_what_its_vectors_depend_on() -> None:
    names = [
        OpenAIEmbedder(model="m", api_key=KEY).model,
        OpenAIEmbedder(model="m", api_key=KEY, dimensions=256, name="local").model,
        BedrockEmbedder(model="t", region="eu-central-1", dimensions=512).model,
    ]
    assert names == ["openai:m", "local:m/256", "bedrock:t/512"]
