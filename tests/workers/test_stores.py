"""Which stores the settings make, and what is said where they cannot."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from aos.client import AosClient
from aos.embedding import Embedder
from aos.errors import SetupError
from aos_activities.blobs.postgres import PostgresBlobStore
from aos_activities.blobs.s3 import S3BlobStore
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.memory.postgres import PostgresMemory
from aos_activities.memory.sqlite import SqliteMemory
from aos_workers.home import Home
from aos_workers.settings import Settings
from aos_workers.stores import make_blobs, make_embedder, make_memory
from aos_workers.worker import make_parts, running_workers
from engine.server import apart
from wire.credentials import only_these
from wire.s3 import Bucket, running_s3

POSTGRES = "postgresql://aos:secret-word@127.0.0.1:1/aos"


@pytest.fixture(autouse=True)
def only_these_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    only_these(monkeypatch)
    for name in ("AOS_BLOBS_URL", "AOS_MEMORY_URL", "AOS_EMBEDDING", "OPENAI_API_KEY", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


def settings(tmp_path: Path, **fields: object) -> Settings:
    return Settings.model_validate({"home": tmp_path, **fields})


def test_without_settings_everything_lies_in_the_home(tmp_path: Path) -> None:
    made = settings(tmp_path)
    assert isinstance(make_blobs(made, Home(tmp_path)), SqliteBlobStore)
    assert isinstance(make_memory(made, Home(tmp_path)), SqliteMemory)
    assert make_embedder(made) is None


def test_addresses_choose_the_stores(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert isinstance(make_blobs(settings(tmp_path, blobs_url=POSTGRES), home), PostgresBlobStore)
    assert isinstance(make_blobs(settings(tmp_path, blobs_url="s3://bucket/a/b"), home), S3BlobStore)
    assert isinstance(make_memory(settings(tmp_path, memory_url=POSTGRES), home), PostgresMemory)


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"embedding": "openai:text-embedding-3-small", "openai_api_key": "sk-1"}, "openai:text-embedding-3-small"),
        ({"embedding": "bedrock:amazon.titan-embed-text-v2:0", "aws_region": "eu-central-1"}, "bedrock:amazon.titan"),
        ({"embedding": "near:e5", "endpoints": {"near": {"base_url": "http://127.0.0.1:1/v1"}}}, "near:e5"),
        ({"embedding": "offline"}, "offline:"),
        ({"embedding": "offline", "offline": True}, "offline:"),
    ],
)
async def test_a_model_that_embeds_is_chosen_by_its_name(tmp_path: Path, fields: dict[str, object], model: str) -> None:
    made: Embedder | None = make_embedder(settings(tmp_path, **fields))
    assert made is not None and made.model.startswith(model)
    await made.aclose()


def test_offline_no_other_model_embeds(tmp_path: Path) -> None:
    assert make_embedder(settings(tmp_path, offline=True, embedding="openai:x", openai_api_key="sk-1")) is None


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"blobs_url": "mysql://secret-word@host"}, "AOS_BLOBS_URL is no address such as"),
        ({"blobs_url": "s3:///prefix"}, "names no bucket"),
        ({"memory_url": "secret-word"}, "AOS_MEMORY_URL is no address such as"),
        ({"embedding": "openai:x"}, "set OPENAI_API_KEY"),
        ({"embedding": "bedrock:x"}, "AWS_REGION"),
        ({"embedding": "nobody:x"}, "it is not one of openai, bedrock, offline"),
    ],
)
def test_what_cannot_be_made_is_said_with_the_way_out_and_without_secrets(
    tmp_path: Path, fields: dict[str, object], problem: str
) -> None:
    with pytest.raises(SetupError) as error:
        make_parts(settings(tmp_path, **fields), Home(tmp_path))
    assert problem in str(error.value)
    assert "secret-word" not in str(error.value)


def test_a_library_that_is_not_there_is_named_with_the_extra_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aos_workers.stores.find_spec", lambda name: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType] - any name
    for fields, extra in (({"memory_url": POSTGRES}, "postgres"), ({"embedding": "offline"}, "vectors")):
        with pytest.raises(SetupError, match=rf"agent-operating-system\[{extra}\]"):
            make_parts(settings(tmp_path, **fields), Home(tmp_path))


@pytest.mark.parametrize("kind", ["postgres", "s3"])
async def test_workers_that_share_no_folder_share_an_agent(
    temporal: WorkflowEnvironment, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    name = f"agent-{uuid4().hex[:10]}"
    client = await apart(temporal.client, f"stores-{kind}")
    aos = AosClient(client)
    with running_s3(Bucket("aos")) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
        stores = {"blobs_url": postgres if kind == "postgres" else "s3://aos/here", "memory_url": postgres}

        @asynccontextmanager
        async def workers(place: str) -> AsyncGenerator[None]:
            made = settings(tmp_path / place, offline=True, aws_region="eu-central-1", **stores)
            async with running_workers(client, made, make_parts(made, Home(tmp_path / place))):
                yield

        async with workers("one"):
            await aos.start({"name": name, "tools": ["remember"]})
            await aos.ask(name, "Use remember with key=ship and text='It is called Corvina.'")
            await aos.ask(name, "The ferry leaves at nine.")
        async with workers("two"):
            assert "The ferry leaves at nine." in (await aos.ask(name, "When does the ferry leave?")).text
            assert "Corvina" in (await aos.ask(name, "Use recall with query=ship and where=memory")).text
            await aos.stop(name)
