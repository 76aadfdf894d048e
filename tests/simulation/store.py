"""The blob store of a simulated world: in memory, and any operation on it may be the last of its worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aos.errors import BlobMissing
from aos.store import ref_of


class WorkerLost(BaseException):
    """The worker process died here, with all that it had in memory."""


class Fuse:
    """Kills the worker at one of the next operations: after `left` of them, where that is set."""

    def __init__(self) -> None:
        self.left: int | None = None

    def burn(self) -> None:
        """Pass one point at which a worker may die."""
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise WorkerLost


class MemoryStore:
    """An `aos.store.BlobStore` whose content outlives workers."""

    def __init__(self, fuse: Fuse) -> None:
        self.blobs: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self._fuse = fuse

    async def save(self, blobs: Iterable[bytes], links: Mapping[str, str] | None = None) -> None:
        """Keep `blobs` and `links`."""
        self._fuse.burn()
        for data in blobs:
            self.blobs[ref_of(data)] = data
        self.links.update(links or {})
        self._fuse.burn()

    async def load(self, ref: str) -> bytes:
        """Return the blob."""
        self._fuse.burn()
        if ref not in self.blobs:
            raise BlobMissing(ref)
        return self.blobs[ref]

    async def follow(self, key: str) -> str | None:
        """Return the reference that the link points at, or None."""
        self._fuse.burn()
        return self.links.get(key)

    async def aclose(self) -> None:
        """Nothing is open."""
