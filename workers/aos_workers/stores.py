"""The stores that the settings ask for: blobs, shared memory, and the model by which that is searched by meaning."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from aos.embedding import Embedder
from aos.errors import SetupError
from aos.memory import MemoryStore
from aos.store import BlobStore
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.memory.sqlite import SqliteMemory
from aos_workers.home import Home
from aos_workers.settings import Settings


def make_blobs(settings: Settings, home: Home) -> BlobStore:
    """Return the Postgres database or the S3 bucket that `AOS_BLOBS_URL` names, else a file in the home.

    Raises:
        SetupError: The address is of neither, or what it takes is not installed.
    """
    if settings.blobs_url is None:
        return SqliteBlobStore(home.blobs)
    url = settings.blobs_url.get_secret_value()
    if url.startswith("s3://"):
        from aos_activities.blobs.s3 import S3BlobStore

        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        if not bucket:
            raise SetupError("AOS_BLOBS_URL names no bucket, as 's3://bucket/prefix' does")
        return S3BlobStore(bucket, f"{prefix.rstrip('/')}/" if prefix else "", region=settings.aws_region)
    _check_postgres("AOS_BLOBS_URL", url, " or 's3://bucket/prefix'")
    from aos_activities.blobs.postgres import PostgresBlobStore

    return PostgresBlobStore(url)


def make_memory(settings: Settings, home: Home) -> MemoryStore:
    """Return the Postgres database that `AOS_MEMORY_URL` names, else a file in the home.

    Raises:
        SetupError: The address is none of Postgres, or what it takes is not installed.
    """
    if settings.memory_url is None:
        return SqliteMemory(home.memory)
    return _postgres_memory("AOS_MEMORY_URL", settings.memory_url.get_secret_value())


def memory_at(place: str) -> MemoryStore:
    """Return the memory in a Postgres database, where `place` is the address of one, else in the file of that path.

    Raises:
        SetupError: It is another address, or what it takes is not installed.
    """
    return _postgres_memory(place.partition(":")[0], place) if "://" in place else SqliteMemory(Path(place))


def _postgres_memory(setting: str, url: str) -> MemoryStore:
    _check_postgres(setting, url)
    from aos_activities.memory.postgres import PostgresMemory

    return PostgresMemory(url)


def make_embedder(settings: Settings) -> Embedder | None:
    """Return the model that `AOS_EMBEDDING` names, or None where it names none.

    Raises:
        SetupError: There is no such model, or what it takes is not set up or not installed.
    """
    if not settings.embedding or (settings.offline and not settings.embedding.startswith("offline")):
        return None
    if settings.memory_url is None:
        _check_installed("numpy", "vectors", "AOS_EMBEDDING with the memory in the home")
    provider, _, model = settings.embedding.partition(":")
    if provider == "offline":
        from aos_activities.embedding.offline import OfflineEmbedder

        return OfflineEmbedder()
    if provider == "bedrock":
        return _bedrock(settings, model)
    return _openai(settings, provider, model)


def _bedrock(settings: Settings, model: str) -> Embedder:
    if not settings.aws_region:
        raise _missing(settings, "give the workers AWS credentials and AWS_REGION")
    from aos_activities.embedding.bedrock import BedrockEmbedder

    return BedrockEmbedder(model=model, region=settings.aws_region, endpoint_url=settings.bedrock_endpoint)


def _openai(settings: Settings, provider: str, model: str) -> Embedder:
    from aos_activities.embedding.openai import OpenAIEmbedder
    from aos_activities.models.openai import OPENAI_URL

    if provider == "openai":
        if settings.openai_api_key is None:
            raise _missing(settings, "set OPENAI_API_KEY for the workers")
        key, url = settings.openai_api_key, settings.openai_base_url or OPENAI_URL
    elif endpoint := settings.endpoints.get(provider):
        key, url = endpoint.api_key, endpoint.base_url
    else:
        there = ", ".join(["openai", "bedrock", "offline", *settings.endpoints])
        raise _missing(settings, f"it is not one of {there}; AOS_ENDPOINTS names other servers that speak OpenAI's API")
    return OpenAIEmbedder(model=model, api_key=key.get_secret_value(), base_url=url, name=provider)


def _check_postgres(setting: str, url: str, other: str = "") -> None:
    # The address may hold a password, so it is not told.
    if not url.startswith(("postgresql://", "postgres://")):
        raise SetupError(f"{setting} is no address such as 'postgresql://user:password@host/database'{other}")
    _check_installed("asyncpg", "postgres", setting)


def _missing(settings: Settings, remedy: str) -> SetupError:
    return SetupError(f"AOS_EMBEDDING is {settings.embedding!r}: {remedy}")


def _check_installed(module: str, extra: str, setting: str) -> None:
    if find_spec(module) is None:
        raise SetupError(f"{setting} takes {module}: `pip install 'agent-operating-system[{extra}]'` brings it")
