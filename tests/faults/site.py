"""A whole AOS of processes, for a test to break."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aos.client import AosClient
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_workers.home import Home
from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import DevServer, free_port
from engine.engine import Engine
from engine.scripts import ScriptedAgents
from faults import worker
from faults.outside import Outside
from faults.worker import Order

_READY_SECONDS = 60.0
_GRACE_SECONDS = 20.0

# Forked from a process that has imported the product, a worker is up in the time that it takes to connect.
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["pytest", "aos_workers.worker", "aos.testing"])
_FRESH = multiprocessing.get_context("spawn")


class WorkerProcess:
    """A worker as `order` wants it. A `fresh` one starts from nothing, as after a reboot; others are forked."""

    def __init__(self, order: Order, log: Path, *, fresh: bool = False) -> None:
        self.order = order
        self._log = log
        self._context = _FRESH if fresh else _FORKED
        self._process: Any = None

    @property
    def pid(self) -> int:
        """Process id of the last start."""
        return self._process.pid

    async def start(self) -> None:
        """Start it, and return when it serves."""
        told, tell = self._context.Pipe(duplex=False)
        self._process = self._context.Process(target=worker.run, args=(self.order, self._log, tell), daemon=True)
        self._process.start()
        tell.close()
        try:
            await asyncio.to_thread(self._until_ready, told)
        finally:
            told.close()

    def _until_ready(self, told: Connection) -> None:
        try:
            served = told.poll(_READY_SECONDS) and told.recv()
        except EOFError:
            served = False
        assert served, f"the worker does not serve:\n{self._log.read_text()[-4000:]}"

    async def gone(self) -> int:
        """Return its exit code once it has ended, negative for a signal."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        return self._process.exitcode

    async def keep(self, kills: list[int]) -> None:
        """Start it again each time that it is killed, and note its exit code in `kills`."""
        while True:
            kills.append(await self.gone())
            await self.start()

    async def kill(self) -> None:
        """Kill it with SIGKILL, and return when it is gone."""
        if self._process is not None and self._process.is_alive():
            self._process.kill()
            await self.gone()

    async def stop(self) -> None:
        """Have it finish what runs and end."""
        self._process.terminate()
        code = await asyncio.wait_for(self.gone(), _GRACE_SECONDS)
        assert code == 0, self._log.read_text()[-4000:]


class Site:
    """A server, a client of it, what agents did outside, and workers as they are wanted."""

    def __init__(self, home: Home, server: DevServer, client: AosClient) -> None:
        self.home = home
        self.server = server
        self.client = client
        self.outside = Outside(home.path)
        # Nothing runs in it: it is how tests look at agents.
        self.engine = Engine(client.temporal, ScriptedAgents(), SqliteBlobStore(home.blobs))
        self.workers: list[WorkerProcess] = []

    def worker(self, *, fresh: bool = False, **order: Any) -> WorkerProcess:
        """Return a worker, not started."""
        wanted = Order(address=self.server.address, home=self.home.path, outside=self.home.path, **order)
        made = WorkerProcess(wanted, self.home.logs / f"worker-{len(self.workers)}.log", fresh=fresh)
        self.workers.append(made)
        return made

    async def started(self, **order: Any) -> WorkerProcess:
        """Return a worker that serves."""
        made = self.worker(**order)
        await made.start()
        return made


@asynccontextmanager
async def running_site(folder: Path) -> AsyncGenerator[Site]:
    """Run a server on a database in `folder` until the block ends; then kill it and the workers."""
    home = Home(folder)
    server = DevServer(find_temporal(cache_folder(), lambda line: None), home, port=free_port(), ui_port=None)
    await server.start()
    site = Site(home, server, await AosClient.connect(server.address))
    try:
        yield site
    finally:
        for process in site.workers:
            await process.kill()
        server.kill()
        await server.wait()
