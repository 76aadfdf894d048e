"""Where chaos takes place: disks, a server, worker processes, and networks between them and the clients."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aos.client import AosClient
from aos_workers.home import Home
from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import DevServer, free_port
from chaos.disk import Disk
from chaos.effects import Effects
from chaos.faults import WORKERS
from chaos.keeper import Keeper
from chaos.proxy import Proxy
from chaos.worker import Place


class Site:
    """What a test talks to and what it breaks. `effects` and `tool_effects` are the ledgers of the workers."""

    def __init__(self, folder: Path, *, disk_megabytes: int) -> None:
        self.database = Disk(folder / "database", disk_megabytes)
        self.blobs = Disk(folder / "blobs", disk_megabytes)
        port = free_port()
        home = Home(self.database.path)
        self.server = DevServer(find_temporal(cache_folder(), _quiet), home, port=port, ui_port=None)
        self.networks = {"clients": Proxy(port), "workers": Proxy(port)}
        self.effects = Effects(folder / "effects.jsonl")
        self.tool_effects = Effects(folder / "tool_effects.jsonl")
        self._folder = folder
        self._keeper: Keeper | None = None

    @property
    def keeper(self) -> Keeper:
        """The worker processes."""
        assert self._keeper, "the site is not open"
        return self._keeper

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Bring everything up until the block ends."""
        folder = self._folder
        async with AsyncExitStack() as stack:
            stack.callback(self.effects.close)
            stack.callback(self.tool_effects.close)
            for disk in (self.database, self.blobs):
                await stack.enter_async_context(disk.there())
            stack.callback(self._keep_log)
            await stack.enter_async_context(self.server)
            for network in self.networks.values():
                await stack.enter_async_context(network.running())
            ledgers = folder / "effects.jsonl", folder / "tool_effects.jsonl"
            place = Place(self.networks["workers"].address, self.blobs.path, *ledgers)
            self._keeper = Keeper(place, folder / "workers.log", count=WORKERS)
            await stack.enter_async_context(self._keeper.running())
            yield

    def _keep_log(self) -> None:
        """Save the log of the server from the disk that goes away."""
        if self.server.log.exists():
            shutil.copy(self.server.log, self._folder / "server.log")

    async def clients(self, count: int) -> Sequence[AosClient]:
        """Return clients, each with a connection of its own through the network of the clients."""
        return [await AosClient.connect(self.networks["clients"].address) for _ in range(count)]

    async def observer(self) -> AosClient:
        """Return a client that no broken network keeps from the server."""
        return await AosClient.connect(self.server.address)


def _quiet(line: str) -> None:
    """Progress that no test needs."""
