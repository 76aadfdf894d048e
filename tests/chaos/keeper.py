"""The worker processes, as the driver sees them."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from chaos.worker import AWAY, Place

_TESTS = Path(__file__).parent.parent
_EXPECTED = (-signal.SIGKILL, AWAY)


class Keeper:
    """Knows which workers live, and kills them. `strange` are the exit codes of those that ended otherwise."""

    def __init__(self, place: Place, log: Path, *, count: int) -> None:
        self.killed = 0
        self.strange: list[int] = []
        self._place = place
        self._log = log
        self._count = count
        self._alive: list[int] = []
        self._full = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the workers until the block ends."""
        place = [self._place.address, self._place.home, self._place.effects, self._place.tool_effects]
        command = ["-m", "chaos.worker", *(str(part) for part in place), str(self._count)]
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in (str(_TESTS), os.environ.get("PYTHONPATH")) if path),
                },
            )
        assert process.stdin and process.stdout
        reading = asyncio.create_task(self._read(process.stdout))
        try:
            yield
        finally:
            process.stdin.close()
            await process.wait()
            await reading

    async def kill(self, chance: random.Random, *, all_of_them: bool = False) -> None:
        """Kill a worker, or all, once as many live as should."""
        await self._full.wait()
        for pid in [*self._alive] if all_of_them else [chance.choice(self._alive)]:
            os.kill(pid, signal.SIGKILL)
            self.killed += 1
            self._alive.remove(pid)
        self._full.clear()

    async def _read(self, told: asyncio.StreamReader) -> None:
        async for line in told:
            what, pid, *code = line.split()
            if what == b"born":
                self._alive.append(int(pid))
            else:
                self._alive = [worker for worker in self._alive if worker != int(pid)]
                self.strange += [int(number) for number in code if int(number) not in _EXPECTED]
            (self._full.set if len(self._alive) == self._count else self._full.clear)()
