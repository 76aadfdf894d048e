"""Makes the faults of a schedule happen at their moments."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence

from chaos.faults import Fault
from chaos.journal import Journal
from chaos.site import Site

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.02


class Nemesis:
    """Breaks a site. `done` tells which faults began when, and how many messages were handled then."""

    def __init__(self, site: Site, journal: Journal, chance: random.Random) -> None:
        self.done: list[str] = []
        self.server_kills = 0
        self._site = site
        self._journal = journal
        self._chance = chance
        self._networks = {name: asyncio.Lock() for name in site.networks}

    async def run(self, faults: Sequence[Fault]) -> None:
        """Bring about the faults, in their order, and return when the last is over.

        Faults of the network go on beside those that come after them; the others are done when the next begins.
        """
        async with asyncio.TaskGroup() as broken:
            for fault in faults:
                while (handled := self._site.effects.read()) < fault.at:
                    await asyncio.sleep(_LOOK_SECONDS)
                self.done.append(f"{self._journal.seconds:8.3f} s, {handled} handled: {fault}")
                _log.info("%s", self.done[-1])
                if fault.where in self._networks:
                    broken.create_task(self._break_network(fault))
                else:
                    await self._break(fault)

    async def _break(self, fault: Fault) -> None:
        site = self._site
        match fault.kind:
            case "kill worker":
                await site.keeper.kill(self._chance)
            case "kill server":
                await self._kill_server()
            case "kill all":
                await site.keeper.kill(self._chance, all_of_them=True)
                await self._kill_server()
            case _:
                disk = site.database if fault.where == "database" else site.blobs
                await disk.fill()
                await asyncio.sleep(fault.seconds)
                await disk.free()

    async def _kill_server(self) -> None:
        server = self._site.server
        server.kill()
        await server.wait()
        self.server_kills += 1
        await server.start()

    async def _break_network(self, fault: Fault) -> None:
        network = self._site.networks[fault.where]
        async with self._networks[fault.where]:
            match fault.kind:
                case "reset":
                    network.cut(reset=True)
                case "drop":
                    network.refuses = True
                    network.cut()
                    await asyncio.sleep(fault.seconds)
                    network.refuses = False
                case "half-open":
                    network.mute()
                case "silence":
                    network.open.clear()
                    await asyncio.sleep(fault.seconds)
                    network.open.set()
                case _:
                    network.latency = fault.delay
                    await asyncio.sleep(fault.seconds)
                    network.latency = 0.0
