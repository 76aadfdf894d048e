"""Postgres as AOS uses it: a schema of its own for each store, and writes that share a transaction."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import asyncpg

from aos.errors import SetupError
from aos_activities.migrations import missing

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

J = TypeVar("J")
T = TypeVar("T")

_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_CONNECTIONS = 8
_REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, ValueError)
"""What a database refuses with whose address, or whose rights, have to be mended first."""


class Database:
    """The tables of one store, in a schema of the database at `url`. It connects at its first use.

    Args:
        url: As `postgresql://user:password@host/database`.
        schema: Where the tables are; made if it is missing.
        migrations: Scripts that bring the tables from one version to the next.
        lock: The advisory lock under which the tables are made.

    Raises:
        SetupError: `schema` is no name of a schema, or the database takes no such user or has no such name.
        asyncpg.PostgresError: The database refuses.
        OSError: It is not there.
    """

    def __init__(self, url: str, schema: str, migrations: Sequence[str], lock: int) -> None:
        if not _SCHEMA_NAME.fullmatch(schema):
            raise SetupError(f"{schema!r} is no name of a schema: small letters, digits and _ are")
        self._url = url
        self._schema = schema
        self._migrations = migrations
        self._lock = lock
        self._opening = asyncio.Lock()
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Connect, and make the tables, now instead of at the first use."""
        await self._opened()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[PoolConnectionProxy]:
        """Lend a connection for the block."""
        async with (await self._opened()).acquire() as connection:
            yield connection

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Return the rows of a query."""
        return await (await self._opened()).fetch(query, *values)

    async def aclose(self) -> None:
        """Close the connections, once what is under way is done."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _opened(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                pool = await self._connect()
                try:
                    async with pool.acquire() as connection:
                        await self._migrate(connection)
                except BaseException:
                    pool.terminate()
                    raise
                self._pool = pool
        return self._pool

    async def _connect(self) -> asyncpg.Pool:
        search_path = f"{self._schema}, public"
        try:
            return await asyncpg.create_pool(
                self._url, min_size=1, max_size=_CONNECTIONS, server_settings={"search_path": search_path}
            )
        except _REFUSED as error:
            raise SetupError(f"the Postgres database refuses: {error}; mend its address or its rights") from None

    async def _migrate(self, connection: PoolConnectionProxy) -> None:
        """Make the schema if it is missing, and bring its tables up to date.

        Raises:
            SetupError: They are of a later version of AOS.
        """
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", self._lock)
            await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"')
            await connection.execute("CREATE TABLE IF NOT EXISTS migrations (version integer NOT NULL)")
            version: int = await connection.fetchval("SELECT coalesce(max(version), 0) FROM migrations")
            for number, script in enumerate(missing(self._migrations, version), start=version + 1):
                await connection.execute(script)
                await connection.execute("INSERT INTO migrations VALUES ($1)", number)


@dataclass(slots=True, eq=False)
class _Job(Generic[J, T]):
    """What one write was given, and what comes of it."""

    given: J
    came: asyncio.Future[T]


class SharedWrites(Generic[J, T]):
    """Writes that come while others are under way share the next transaction.

    Args:
        database: Where they are made.
        write: Makes one of them, or refuses it before it has changed anything.
        refusals: What it refuses with; any other error ends the transaction, and all who share it are told.
        lock: The advisory lock that each transaction holds: such writes come one after the other, in all processes.
    """

    def __init__(
        self,
        database: Database,
        write: Callable[[PoolConnectionProxy, J], Awaitable[T]],
        refusals: type[Exception] | tuple[type[Exception], ...],
        *,
        lock: int | None = None,
    ) -> None:
        self._database = database
        self._write = write
        self._refusals = refusals
        self._lock = lock
        self._waiting: list[_Job[J, T]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, given: J) -> T:
        """Return what a write comes to, once it is durable."""
        job = _Job[J, T](given, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._writer is None:
            # Others' writes are in it: it goes on, though one of those who wait may be cancelled.
            self._writer = asyncio.create_task(self._write_waiting())
        return await job.came

    async def aclose(self) -> None:
        """Wait until everything is written."""
        if self._writer is not None:
            await self._writer

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                jobs, self._waiting = self._waiting, []
                await self._write_all(jobs)
        finally:
            self._writer = None

    async def _write_all(self, jobs: Sequence[_Job[J, T]]) -> None:
        came: list[tuple[T | None, Exception | None]] = []
        try:
            async with self._database.connection() as connection, connection.transaction():
                if self._lock is not None:
                    await connection.execute("SELECT pg_advisory_xact_lock($1)", self._lock)
                for job in jobs:
                    try:
                        came.append((await self._write(connection, job.given), None))
                    except self._refusals as error:
                        came.append((None, error))
        except Exception as error:  # noqa: BLE001 - it is raised by each write that shared the transaction
            came = [(None, error)] * len(jobs)
        for job, (done, error) in zip(jobs, came, strict=True):
            if job.came.done():
                continue  # Who waited for it was cancelled.
            if error is not None:
                job.came.set_exception(error)
            else:
                job.came.set_result(cast("T", done))
