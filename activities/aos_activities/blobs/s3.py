"""The blob store of any number of machines, in an S3 bucket."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from aos.errors import BlobMissing, SetupError
from aos.store import ref_of

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

T = TypeVar("T")

_CONCURRENCY = 16
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=_CONCURRENCY,
)
_MISSING = ("NoSuchKey", "404")


class S3BlobStore:
    """An `aos.store.BlobStore` in a bucket of S3, or of a server that speaks its API.

    S3 has no transactions. Blobs come before the links that name them, and links are pointed in their order: where the
    last one is, the others are.

    Args:
        bucket: The bucket, which must be there.
        prefix: What the names of all objects begin with.
        region: AWS region of the bucket; boto3 finds it in its own places.
        endpoint_url: Where the API is, in place of AWS's own.

    Raises:
        SetupError: AWS's own settings on this machine cannot be read.
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: The bucket refuses, or is not reached.
    """

    def __init__(
        self, bucket: str, prefix: str = "", *, region: str | None = None, endpoint_url: str | None = None
    ) -> None:
        try:
            self._session = boto3.Session(region_name=region)
        except BotoCoreError as error:
            raise SetupError(f"s3: {error}; give the workers AWS credentials") from None
        self._bucket = bucket
        self._prefix = prefix
        self._endpoint_url = endpoint_url
        self._threads = ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="aos-s3")
        self._making = threading.Lock()
        self._made: S3Client | None = None

    async def save(self, blobs: Iterable[bytes], links: Mapping[str, str] | None = None) -> None:
        """Keep `blobs`, and point each key of `links` at its reference.

        Raises:
            BlobMissing: A link names what is neither among the blobs nor in the store; nothing was saved.
        """
        kept = {ref_of(data): data for data in blobs}
        pointed = dict(links or {})
        await asyncio.gather(*(self._threaded(self._check, ref) for ref in {*pointed.values()} - kept.keys()))
        await asyncio.gather(*(self._threaded(self._put, self._blob(ref), data) for ref, data in kept.items()))
        for key, ref in pointed.items():
            await self._threaded(self._put, self._link(key), ref.encode())

    async def load(self, ref: str) -> bytes:
        """Return the blob.

        Raises:
            BlobMissing: There is none of that reference.
        """
        found = await self._threaded(self._get, self._blob(ref)) if ref.isalnum() and ref.isascii() else None
        if found is None:
            raise BlobMissing(ref)
        return found

    async def follow(self, key: str) -> str | None:
        """Return the reference that the link points at, or None."""
        found = await self._threaded(self._get, self._link(key))
        return None if found is None else found.decode()

    async def aclose(self) -> None:
        """Close the connections, once what is under way is done."""
        await asyncio.to_thread(self._threads.shutdown)
        if self._made is not None:
            self._made.close()

    async def _threaded(self, work: Callable[..., T], *given: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)

    def _client(self) -> S3Client:
        with self._making:
            client = self._made or self._session.client("s3", endpoint_url=self._endpoint_url, config=_CONFIG)
            self._made = client
            return client

    def _put(self, name: str, data: bytes) -> None:
        self._client().put_object(Bucket=self._bucket, Key=name, Body=data)

    def _get(self, name: str) -> bytes | None:
        found = _unless_missing(lambda: self._client().get_object(Bucket=self._bucket, Key=name))
        return None if found is None else found["Body"].read()

    def _check(self, ref: str) -> None:
        if _unless_missing(lambda: self._client().head_object(Bucket=self._bucket, Key=self._blob(ref))) is None:
            raise BlobMissing(ref)

    def _blob(self, ref: str) -> str:
        return f"{self._prefix}blobs/{ref}"

    def _link(self, key: str) -> str:
        # A key may be any text, and a name of S3's may not.
        return f"{self._prefix}links/{hashlib.sha256(key.encode()).hexdigest()}"


def _unless_missing(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING:
            return None
        raise
