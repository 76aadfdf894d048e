"""Where a case runs: one server on a fresh database, and the workers that it asks for."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client

from aos.client import AosClient
from bench.agents import Agents, AosAgents, FloorAgents
from bench.processes import Program
from bench.servers import Server, make_server

CACHED = 2000


@dataclass(frozen=True)
class Place:
    """A server on a fresh database, with clients, and a fresh folder.

    `temporal` is a plain client of Temporal's, `aos` is AOS's own.
    """

    folder: Path
    server: Server
    temporal: Client
    aos: AosClient

    def floor_worker(self, *, cached: int = CACHED) -> Program:
        """Return the worker of the floor, not started."""
        return Program("bench.floor", [self.server.address, "--cached", str(cached)], self.folder / "floor.log")

    def aos_worker(self, *, cached: int = CACHED, tools: bool = False) -> Program:
        """Return a worker of AOS, not started. With `tools` it serves `bench/touch` too."""
        arguments = [self.server.address, str(self.folder), "--cached", str(cached), *(["--tools"] if tools else [])]
        return Program("bench.aos_worker", arguments, self.folder / "aos.log")

    @asynccontextmanager
    async def running(
        self, system: str, *, agents: int, cached: int = CACHED, tools: bool = False, **spec: Any
    ) -> AsyncGenerator[Agents]:
        """Run a worker of `floor` or `aos`, and so many agents that have answered once, until the block ends.

        `spec` are fields of the agents' spec; the floor has none.
        """
        if system == "floor":
            worker = self.floor_worker(cached=cached)
            found: Agents = FloorAgents(self.server, worker, self.temporal)
        else:
            worker = self.aos_worker(cached=cached, tools=tools)
            found = AosAgents(self.server, worker, self.aos, tools=tools)
        async with worker:
            await found.join(agents, **spec)
            yield found


@asynccontextmanager
async def fresh_place() -> AsyncGenerator[Place]:
    """Run a server on a fresh database until the block ends."""
    with tempfile.TemporaryDirectory(prefix="aos-bench-") as name:
        folder = Path(name)
        async with make_server(folder) as server:
            temporal = await Client.connect(server.address)
            yield Place(folder, server, temporal, await AosClient.connect(server.address))
