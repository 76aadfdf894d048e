"""What a store in S3 does by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from aos.store import ref_of
from aos_activities.blobs.s3 import S3BlobStore
from wire.credentials import only_these
from wire.s3 import Bucket, running_s3


@pytest.fixture
def bucket() -> Bucket:
    return Bucket("aos")


@pytest_asyncio.fixture
async def store(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[S3BlobStore]:
    only_these(monkeypatch)
    with running_s3(bucket) as url:
        opened = S3BlobStore("aos", "one/", region="eu-central-1", endpoint_url=url)
        yield opened
        await opened.aclose()


async def test_everything_lies_under_the_prefix_under_its_reference(store: S3BlobStore, bucket: Bucket) -> None:
    await store.save([b"data"], {"head": ref_of(b"data")})
    blob, link = sorted(bucket.objects)
    assert blob == f"one/blobs/{ref_of(b'data')}" and bucket.objects[blob] == b"data"
    assert link.startswith("one/links/") and bucket.objects[link] == ref_of(b"data").encode()


async def test_links_are_pointed_in_their_order_after_the_blobs(store: S3BlobStore, bucket: Bucket) -> None:
    await store.save([b"a", b"b"], {"first": ref_of(b"a"), "last": ref_of(b"b")})
    names = [name.split("/")[1] for name in bucket.objects]
    assert names == ["blobs", "blobs", "links", "links"]
    assert [*bucket.objects.values()][2:] == [ref_of(b"a").encode(), ref_of(b"b").encode()]


async def test_a_server_that_is_busy_for_a_moment_is_asked_again(store: S3BlobStore, bucket: Bucket) -> None:
    bucket.refusing = 1
    await store.save([b"data"])
    bucket.refusing = 1
    assert await store.load(ref_of(b"data")) == b"data"


async def test_a_bucket_that_there_is_not_is_an_error_and_nothing_missing(bucket: Bucket, store: S3BlobStore) -> None:
    bucket.name = "another"
    for work in (store.save([b"data"]), store.load(ref_of(b"data")), store.follow("head")):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            await work
