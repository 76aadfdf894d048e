"""The blob store of one machine: an SQLite database, shared by any number of its processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aos.errors import BlobMissing
from aos.store import ref_of
from aos_activities.sqlite import Lane, SharedWrites

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS blobs (ref TEXT PRIMARY KEY NOT NULL, data BLOB NOT NULL)",
    """CREATE TABLE IF NOT EXISTS links
       (key TEXT PRIMARY KEY NOT NULL, ref TEXT NOT NULL REFERENCES blobs (ref)) WITHOUT ROWID""",
)
_POINT = "INSERT INTO links (key, ref) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET ref = excluded.ref"


@dataclass(slots=True)
class _Save:
    """What one `save` was given."""

    blobs: dict[str, bytes]
    links: dict[str, str]


class SqliteBlobStore:
    """An `aos.store.BlobStore` in the database file `path`, made with its folder if it is missing.

    Saves that come while the disk is busy share the next transaction and its one fsync. Waits for the disk are spent
    in threads of the store's own.

    Raises:
        sqlite3.Error: The file is no database, cannot be written, or the disk is full; nothing was saved.
    """

    def __init__(self, path: Path) -> None:
        self._writer = Lane(path, "aos-store-write", _prepare)
        self._reader = Lane(path, "aos-store-read", _prepare)
        self._saves = SharedWrites(self._writer, _save, BlobMissing)

    async def open(self) -> None:
        """Open the database now instead of at its first use."""
        await self._writer.run(lambda connection: None)
        await self._reader.run(lambda connection: None)

    async def save(self, blobs: Iterable[bytes], links: Mapping[str, str] | None = None) -> None:
        """Keep `blobs`, and point each key of `links` at its reference, all or nothing.

        Raises:
            BlobMissing: A link names what is neither among the blobs nor in the store.
        """
        save = _Save({ref_of(data): data for data in blobs}, dict(links or {}))
        if save.blobs or save.links:
            await self._saves.add(save)

    async def load(self, ref: str) -> bytes:
        """Return the blob.

        Raises:
            BlobMissing: There is none of that reference.
        """
        found = await self._reader.run(lambda connection: _one(connection, "SELECT data FROM blobs WHERE ref = ?", ref))
        if not isinstance(found, bytes):
            raise BlobMissing(ref)
        return found

    async def follow(self, key: str) -> str | None:
        """Return the reference that the link points at, or None."""
        found = await self._reader.run(lambda connection: _one(connection, "SELECT ref FROM links WHERE key = ?", key))
        return found if isinstance(found, str) else None

    async def aclose(self) -> None:
        """Close the database, once what is under way is done."""
        await self._reader.aclose()
        await self._writer.aclose()


def _prepare(connection: sqlite3.Connection) -> None:
    for statement in _SCHEMA:
        connection.execute(statement)


def _save(connection: sqlite3.Connection, save: _Save) -> None:
    for ref in save.links.values():
        if ref not in save.blobs and _one(connection, "SELECT 1 FROM blobs WHERE ref = ?", ref) is None:
            raise BlobMissing(ref)
    connection.executemany("INSERT OR IGNORE INTO blobs (ref, data) VALUES (?, ?)", save.blobs.items())
    connection.executemany(_POINT, save.links.items())


def _one(connection: sqlite3.Connection, statement: str, value: str) -> object:
    row: tuple[object] | None = connection.execute(statement, (value,)).fetchone()
    return None if row is None else row[0]
