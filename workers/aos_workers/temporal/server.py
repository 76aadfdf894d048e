"""Running the Temporal dev server on a database file."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import signal
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from aos.errors import SetupError
from aos.names import LIST_ATTRIBUTES, SEARCH_ATTRIBUTES
from aos_workers.home import Home
from aos_workers.lock import FileLock

IP = "127.0.0.1"
NAMESPACE = "default"

READY_SECONDS = 60.0
"""How long the server may take to answer after its start."""

GRACE_SECONDS = 10.0
"""How long the server may take to stop before it is killed."""

DYNAMIC_CONFIG = {
    # The default of 20 a second holds a lone agent to ten turns a second.
    "history.transferProcessorMaxPollRPS": "2000",
    # Saves one task and one transaction of every activity that its worker can take at once.
    "system.enableActivityEagerExecution": "true",
    # With the default of a second, timers, retries and time-outs shorter than that come up to a second late.
    "history.timerProcessorMaxTimeShift": '"10ms"',
}
"""Settings of the server, as its `--dynamic-config-value` takes them: each value is JSON."""

SQLITE_PRAGMAS = {"journal_mode": "WAL", "synchronous": "FULL"}
"""A quarter of the disk flushes of the default journal, and as safe when the power goes."""

_PORTS = range(15_000, 32_000)
_given: set[int] = set()

_POLL_SECONDS = 0.05
_TAIL_LINES = 10


class DevServer:
    """`temporal server start-dev` as a process of its own session, so that Ctrl-C reaches it only through `stop`.

    As a context manager it starts on entry and stops on exit. After `kill` or `stop`, `start` starts it again on the
    same database and ports.
    """

    def __init__(self, binary: Path, home: Home, *, port: int, ui_port: int | None) -> None:
        """`binary` is the Temporal CLI; `port` serves gRPC, `ui_port` the Web UI, which None leaves out."""
        self._binary = binary
        self._home = home
        self._port = port
        self._ui_port = ui_port
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where clients connect: `127.0.0.1:7233`."""
        return f"{IP}:{self._port}"

    @property
    def ui_url(self) -> str | None:
        """Address of the Web UI, None without one."""
        return None if self._ui_port is None else f"http://{IP}:{self._ui_port}"

    @property
    def log(self) -> Path:
        """File that takes what the server prints."""
        return self._home.logs / "temporal.log"

    async def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            SetupError: A port is taken, another server uses the database, or the server dies or does not answer.
        """
        await self.wait()
        self._home.logs.mkdir(parents=True, exist_ok=True)
        lock = self._lock_database()
        try:
            _check_free(self._port, "--port")
            if self._ui_port is not None:
                _check_free(self._ui_port, "--ui-port")
            with self.log.open("ab") as log:
                begin = log.tell()
                # The child inherits the lock, so that no second server joins one that outlives this process.
                process = await asyncio.create_subprocess_exec(
                    *self._command(),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=(lock.fileno(),),
                )
            lock.name_holder(process.pid)
        finally:
            lock.close()
        self._process = process
        try:
            await self._until_ready(process, begin)
        except BaseException:
            self.kill()
            await self.wait()
            raise

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Stop the server, by force if it has not stopped after `grace` seconds."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), grace)
            except TimeoutError:
                self.kill()
        await self.wait()

    def kill(self) -> None:
        """Kill the server as a crash would, with SIGKILL."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def wait(self) -> int | None:
        """Wait for the server's end and return its exit code, negative for a signal; None if it was never started."""
        return None if self._process is None else await self._process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _lock_database(self) -> FileLock:
        lock = FileLock(self._home.database_lock)
        if not lock.acquire():
            raise SetupError(
                f"{lock.holder()} is a Temporal server that uses {self._home.database}: "
                "end it with `kill`, or give another --home"
            )
        return lock

    def _command(self) -> list[str]:
        command = [str(self._binary), "server", "start-dev", "--namespace", NAMESPACE, "--log-level", "warn"]
        command += ["--ip", IP, "--port", str(self._port), "--db-filename", str(self._home.database)]
        command += ["--headless"] if self._ui_port is None else ["--ui-port", str(self._ui_port)]
        for name, value in SQLITE_PRAGMAS.items():
            command += ["--sqlite-pragma", f"{name}={value}"]
        for name, value in DYNAMIC_CONFIG.items():
            command += ["--dynamic-config-value", f"{name}={value}"]
        for name in SEARCH_ATTRIBUTES:
            command += ["--search-attribute", f"{name}=Keyword"]
        for name in LIST_ATTRIBUTES:
            command += ["--search-attribute", f"{name}=KeywordList"]
        return command

    async def _until_ready(self, process: asyncio.subprocess.Process, begin: int) -> None:
        give_up = time.monotonic() + READY_SECONDS
        while time.monotonic() < give_up:
            if process.returncode is not None:
                raise SetupError(self._died(f"ended with code {process.returncode} before it answered", begin))
            if await self._answers():
                return
            await asyncio.sleep(_POLL_SECONDS)
        raise SetupError(self._died(f"did not answer within {READY_SECONDS:g} s", begin))

    async def _answers(self) -> bool:
        try:
            client = await Client.connect(self.address, namespace=NAMESPACE)
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=NAMESPACE))
        except (RuntimeError, RPCError):  # RuntimeError is what a refused connection raises.
            return False
        return True

    def _died(self, how: str, begin: int) -> str:
        with self.log.open("rb") as log:
            log.seek(begin)
            tail = log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return f"the Temporal server {how}; the end of {self.log}:\n" + "\n".join(tail)


def free_port() -> int:
    """Return a port of this machine that nothing listens on and no other call in this process has returned.

    It lies below those that the system gives to outgoing connections, one of which could take it before the server
    does, or while the server is down.

    Raises:
        OSError: No port is free.
    """
    first = secrets.randbelow(len(_PORTS))
    for port in (*_PORTS[first:], *_PORTS[:first]):
        if port in _given:
            continue
        with socket.socket() as listener:
            try:
                listener.bind((IP, port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise OSError(errno.EADDRINUSE, f"no port of {_PORTS.start} to {_PORTS.stop - 1} is free")


def _check_free(port: int, option: str) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((IP, port))
        except OSError as error:
            raise SetupError(
                f"port {port} cannot be used ({os.strerror(error.errno or 0)}): give another with {option}"
                + (", or set TEMPORAL_ADDRESS to use the server that is there" if option == "--port" else "")
            ) from error
