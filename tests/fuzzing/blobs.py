"""A blob store that lasts as long as a test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aos.errors import BlobMissing
from aos.store import ref_of


class MemoryBlobStore:
    """An `aos.store.BlobStore` of two dictionaries."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.links: dict[str, str] = {}

    async def save(self, blobs: Iterable[bytes], links: Mapping[str, str] | None = None) -> None:
        """Keep blobs and links."""
        self.blobs.update({ref_of(data): data for data in blobs})
        self.links.update(links or {})

    async def load(self, ref: str) -> bytes:
        """Return a blob."""
        if ref not in self.blobs:
            raise BlobMissing(ref)
        return self.blobs[ref]

    async def follow(self, key: str) -> str | None:
        """Return what a link points at."""
        return self.links.get(key)

    async def aclose(self) -> None:
        """Nothing is open."""
