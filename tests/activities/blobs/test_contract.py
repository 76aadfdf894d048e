"""What every blob store does alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from aos.errors import BlobMissing
from aos.store import BlobStore, ref_of
from aos_activities.blobs.postgres import PostgresBlobStore
from aos_activities.blobs.s3 import S3BlobStore
from aos_activities.blobs.sqlite import SqliteBlobStore
from wire.credentials import only_these
from wire.s3 import Bucket, running_s3


@pytest_asyncio.fixture(params=["sqlite", "postgres", "s3"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[BlobStore]:
    match request.param:
        case "sqlite":
            opened: BlobStore = SqliteBlobStore(tmp_path / "new" / "blobs.db")
            yield opened
            await opened.aclose()
        case "postgres":
            opened = PostgresBlobStore(request.getfixturevalue("postgres"), schema=f"blobs_{uuid4().hex[:12]}")
            yield opened
            await opened.aclose()
        case _:
            only_these(monkeypatch)
            with running_s3(Bucket("aos")) as url:
                opened = S3BlobStore("aos", "test/", region="eu-central-1", endpoint_url=url)
                yield opened
                await opened.aclose()


async def test_what_was_saved_is_loaded(store: BlobStore) -> None:
    await store.save([b"one", b"", b"\x00\xff"])
    assert [await store.load(ref_of(data)) for data in (b"one", b"", b"\x00\xff")] == [b"one", b"", b"\x00\xff"]


async def test_what_was_never_saved_is_missing(store: BlobStore) -> None:
    with pytest.raises(BlobMissing):
        await store.load(ref_of(b"never"))
    assert await store.follow("never") is None


async def test_a_link_points_where_it_was_pointed_last(store: BlobStore) -> None:
    await store.save([b"one", b"two"], {"head": ref_of(b"one"), "tail": ref_of(b"two")})
    await store.save([], {"head": ref_of(b"two")})
    assert await store.follow("head") == ref_of(b"two")
    assert await store.follow("tail") == ref_of(b"two")


async def test_a_link_does_not_appear_without_its_blob_and_nothing_beside_it_does(store: BlobStore) -> None:
    with pytest.raises(BlobMissing):
        await store.save([b"beside"], {"good": ref_of(b"beside"), "bad": ref_of(b"never")})
    assert await store.follow("good") is None
    assert await store.follow("bad") is None
    with pytest.raises(BlobMissing):
        await store.load(ref_of(b"beside"))
    await store.save([b"after"])
    assert await store.load(ref_of(b"after")) == b"after"


async def test_a_blob_of_ten_megabytes_is_kept(store: BlobStore) -> None:
    data = bytes(range(256)) * 40_960
    await store.save([data])
    assert await store.load(ref_of(data)) == data


async def test_many_saves_and_loads_at_once_all_succeed(store: BlobStore) -> None:
    blobs = [str(number).encode() for number in range(200)]
    await asyncio.gather(*(store.save([data]) for data in blobs))
    assert await asyncio.gather(*(store.load(ref_of(data)) for data in blobs)) == blobs


@pytest.mark.parametrize("key", ["reply/ada/m1", "Ä/ö", "nul \0", "x" * 2_000, "a/../b"])
async def test_a_link_may_have_any_text_for_its_key(store: BlobStore, key: str) -> None:
    await store.save([b"one"], {key: ref_of(b"one")})
    assert await store.follow(key) == ref_of(b"one")
    assert await store.follow(f"{key}.") is None


@pytest.mark.parametrize("ref", ["", "nul \0", "../links/a", "é" * 48, "x" * 5_000, "0" * 48])
async def test_whatever_is_asked_for_is_there_or_missing(store: BlobStore, ref: str) -> None:
    with pytest.raises(BlobMissing):
        await store.load(ref)
