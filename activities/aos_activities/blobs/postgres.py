"""The blob store of any number of machines, in Postgres."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aos.errors import BlobMissing
from aos.store import ref_of
from aos_activities.postgres import Database

_LOCK = 0x414F5342
"""The advisory lock under which the tables are made, "AOSB"."""

_MIGRATIONS = (
    # A link's key is bytes: Postgres's texts cannot hold every text that there is.
    """
    CREATE TABLE blobs (ref text COLLATE "C" PRIMARY KEY, data bytea NOT NULL);
    CREATE TABLE links (key bytea PRIMARY KEY, ref text COLLATE "C" NOT NULL REFERENCES blobs);
    """,
)
"""What brings a database from one version to the next. They are never changed once released."""

_UNKNOWN = """SELECT ref FROM unnest($1::text[]) AS wanted (ref)
    WHERE NOT EXISTS (SELECT FROM blobs WHERE blobs.ref = wanted.ref)"""
_KEEP = "INSERT INTO blobs SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT (ref) DO NOTHING"
_POINT = """INSERT INTO links SELECT * FROM unnest($1::bytea[], $2::text[])
    ON CONFLICT (key) DO UPDATE SET ref = excluded.ref"""

_REF = re.compile("[0-9a-f]{48}")


class PostgresBlobStore:
    """An `aos.store.BlobStore` in the Postgres database at `url`, in a schema of its own.

    Raises:
        SetupError: `schema` is no name of a schema, or its tables are of a later version of AOS.
        asyncpg.PostgresError: The database refuses; nothing was saved.
        OSError: It is not there.
    """

    def __init__(self, url: str, *, schema: str = "aos_blobs") -> None:
        self._database = Database(url, schema, _MIGRATIONS, _LOCK)

    async def open(self) -> None:
        """Connect, and make the tables, now instead of at the first use."""
        await self._database.open()

    async def save(self, blobs: Iterable[bytes], links: Mapping[str, str] | None = None) -> None:
        """Keep `blobs`, and point each key of `links` at its reference, all or nothing.

        Raises:
            BlobMissing: A link names what is neither among the blobs nor in the store.
        """
        # Sorted: of two processes that save the same, none holds what the other one waits for.
        kept = dict(sorted({ref_of(data): data for data in blobs}.items()))
        pointed = dict(sorted((key.encode(), ref) for key, ref in (links or {}).items()))
        if not kept and not pointed:
            return
        async with self._database.connection() as connection, connection.transaction():
            if elsewhere := [ref for ref in pointed.values() if ref not in kept]:
                for row in await connection.fetch(_UNKNOWN, elsewhere):
                    raise BlobMissing(row[0])
            await connection.execute(_KEEP, [*kept], [*kept.values()])
            await connection.execute(_POINT, [*pointed], [*pointed.values()])

    async def load(self, ref: str) -> bytes:
        """Return the blob.

        Raises:
            BlobMissing: There is none of that reference.
        """
        query = "SELECT data FROM blobs WHERE ref = $1"
        found = await self._database.fetch(query, ref) if _REF.fullmatch(ref) else []
        if not found:
            raise BlobMissing(ref)
        return found[0][0]

    async def follow(self, key: str) -> str | None:
        """Return the reference that the link points at, or None."""
        found = await self._database.fetch("SELECT ref FROM links WHERE key = $1", key.encode())
        return found[0][0] if found else None

    async def aclose(self) -> None:
        """Close the connections, once what is under way is done."""
        await self._database.aclose()
