"""A worker as a child process."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from aos.errors import SetupError
from aos_workers.lock import FileLock
from aos_workers.ready import READY

_READY_SECONDS = 90.0
"""More than a worker waits for a server that is away, so that its log tells of that."""

_GRACE_SECONDS = 20.0
_LOOK_SECONDS = 0.05


class _Ready(BaseModel):
    models: list[str]


class WorkerProcess:
    """One `aos-worker`.

    Its log goes to the file `log`, it holds the file lock `lock` while it lives, and it leads a session of its own, so
    that Ctrl-C reaches it only by `stop`.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path, lock: Path) -> None:
        self._arguments = list(arguments)
        self._environment = dict(environment)
        self._log = log
        self._lock = lock
        self._process: asyncio.subprocess.Process | None = None
        self.models: list[str] = []
        """What the worker said of the models that agents use who name none."""

    @property
    def pid(self) -> int:
        """Process id, 0 before the start."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start the worker and return when it serves.

        Raises:
            SetupError: It ended, or did not serve within a minute and a half; the end of its log says why.
        """
        lock = FileLock(self._lock)
        if not lock.acquire():
            raise SetupError(f"{lock.holder()} is a worker of this home already")
        try:
            with self._log.open("ab") as log:
                begin = log.tell()
                # The child inherits the lock, by which it is found should it outlive this process.
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "aos_workers",
                    *self._arguments,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._environment,
                    start_new_session=True,
                    pass_fds=(lock.fileno(),),
                )
            lock.name_holder(self._process.pid)
        finally:
            lock.close()
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while (ready := self._ready_line(begin)) is None:
                    if self._process.returncode is not None:
                        raise SetupError(f"the worker could not start: {self._tail(begin)}")
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            self.kill()
            raise SetupError(f"the worker did not serve within {_READY_SECONDS:g} s: {self._tail(begin)}") from None
        self.models = ready.models

    def _ready_line(self, begin: int) -> _Ready | None:
        for line in self._written(begin).splitlines():
            if READY.encode() in line:
                return _Ready.model_validate_json(line)
        return None

    def _written(self, begin: int) -> bytes:
        with self._log.open("rb") as log:
            log.seek(begin)
            return log.read()

    def _tail(self, begin: int) -> str:
        lines = self._written(begin).decode(errors="replace").splitlines()[-5:]
        return "\n".join([f"the end of {self._log}:", *lines])

    async def wait(self) -> int:
        """Wait for the worker's end and return its exit code."""
        return await self._process.wait() if self._process else 0

    def kill(self) -> None:
        """Kill the worker as a crash would."""
        if self._process and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """Have the worker finish what runs and end; by force after twenty seconds."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE_SECONDS)
        except TimeoutError:
            self.kill()
            await self._process.wait()
