"""The workers, each a process of its own, so that its CPU and memory can be told from those of others."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

READY = "serving"
"""What a program prints once it serves."""

_READY_SECONDS = 180.0
_GRACE_SECONDS = 20.0
_TAIL_LINES = 15


class Program:
    """`python -m MODULE ARGUMENTS`, which prints a line when it serves, and drains on SIGTERM.

    As a context manager it starts on entry and stops on exit. After `kill` or `stop`, `start` starts it again.
    """

    def __init__(self, module: str, arguments: Sequence[str], log: Path) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Process id of what runs now."""
        if self._process is None:
            raise RuntimeError("the program was not started")
        return self._process.pid

    async def start(self) -> None:
        """Start the program and return when it serves.

        Raises:
            RuntimeError: It ended before; the end of its log says why.
        """
        await self.wait()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdout
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), _READY_SECONDS)
            if line.decode().strip() != READY:
                tail = self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
                raise RuntimeError("\n".join([f"{self._command[2]} does not serve; it said:", *tail]))
        except BaseException:
            self.kill()
            await self.wait()
            raise

    def kill(self) -> None:
        """Kill the program as a crash would, with SIGKILL."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """Have the program finish what runs and end, by force after 20 seconds."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), _GRACE_SECONDS)
            except TimeoutError:
                self.kill()
        await self.wait()

    async def wait(self) -> int | None:
        """Wait for the program's end and return its exit code; None if it was never started."""
        return None if self._process is None else await self._process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def serve_until_told() -> None:
    """In a program: say that it serves, and wait for SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sys.stdout.write(READY + "\n")
    sys.stdout.flush()
    await stop.wait()
