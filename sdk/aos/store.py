"""Where everything lives that is too large for history: conversations, documents, long results."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Protocol


def ref_of(data: bytes) -> str:
    """Return the reference under which a store keeps `data`: the first 48 hexadecimal digits of its SHA-256.

    They are as hard to hit twice as 96 bits are, and each turn has three references in its history.
    """
    return hashlib.sha256(data).hexdigest()[:48]


class BlobStore(Protocol):
    """Content-addressed blobs, and links that name some of them.

    What `save` returned from is durable. Saving the same again changes nothing.
    """

    async def save(self, blobs: Iterable[bytes], links: Mapping[str, str] | None = None) -> None:
        """Keep `blobs`, and point each key of `links` at its reference, all or nothing."""
        ...

    async def load(self, ref: str) -> bytes:
        """Return the blob.

        Raises:
            BlobMissing: There is none of that reference.
        """
        ...

    async def follow(self, key: str) -> str | None:
        """Return the reference that the link points at, or None."""
        ...

    async def aclose(self) -> None:
        """Close what the store holds open."""
        ...
