"""A whole AOS on one machine: a Temporal dev server and a worker, kept running."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from aos.connection import connect
from aos.errors import SetupError
from aos_workers.child import WorkerProcess
from aos_workers.home import Home
from aos_workers.lock import FileLock
from aos_workers.orphans import end_orphan
from aos_workers.settings import Settings, cache_folder, temporal_address
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import NAMESPACE, DevServer
from aos_workers.temporal.watchdog import until_broken

Report = Callable[[str], None]

PORT, UI_PORT = 7233, 8233
_SHORT_LIFE = 2.0
_LONGEST_PAUSE = 10.0


class _Process(Protocol):
    async def start(self) -> None: ...
    async def wait(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Local:
    """What runs. `ui_url` is None where the server is not ours."""

    address: str
    ui_url: str | None
    worker: WorkerProcess
    server: DevServer | None


@asynccontextmanager
async def local_aos(
    settings: Settings, apps: list[str], *, port: int | None, ui_port: int | None, report: Report
) -> AsyncGenerator[Local]:
    """Run a server and a worker until the block ends, starting again what dies.

    Where `TEMPORAL_ADDRESS` names a server and no `port` is given, that one is used.

    Raises:
        SetupError: Something cannot be started; the message says what would help.
    """
    home = Home(settings.home)
    async with AsyncExitStack() as stack:
        stack.enter_context(home.lock())
        await end_orphan(FileLock(home.worker_lock), "a worker", report)
        await end_orphan(FileLock(home.database_lock), "a Temporal server", report)
        address = temporal_address() if port is None else None
        server: DevServer | None = None
        if address is None:
            binary = await asyncio.to_thread(find_temporal, cache_folder(), report)
            server = DevServer(binary, home, port=port or PORT, ui_port=ui_port or (port + 1000 if port else UI_PORT))
            address = server.address
            stack.push_async_callback(server.stop)
            await server.start()
            report(f"Temporal serves at {address}, its Web UI at {server.ui_url}")
        else:
            await connect(address)
            report(f"using the Temporal server at {address}")
        worker = WorkerProcess(
            _arguments(settings, apps), _environment(settings, address), home.logs / "worker.log", home.worker_lock
        )
        stack.push_async_callback(worker.stop)
        await worker.start()
        report(f"the worker serves, its log is {home.logs / 'worker.log'}")
        report(_models_in_words(worker.models))
        async with asyncio.TaskGroup() as watch:
            tasks = [watch.create_task(_keep_running(worker, "the worker", report))]
            if server:
                tasks.append(watch.create_task(_keep_running(server, "the Temporal server", report)))
                tasks.append(watch.create_task(_end_when_broken(server, report)))
            yield Local(address=address, ui_url=server.ui_url if server else None, worker=worker, server=server)
            for task in tasks:
                task.cancel()


def _models_in_words(models: list[str]) -> str:
    if models[:1] == ["offline:extractive"]:
        return (
            "no model is set up: the offline one serves, which can quote and sum up but not think; "
            "set OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT and its like, or AWS_REGION and credentials for a real one"
        )
    return f"agents that name no model use {', '.join(models)}"


def _environment(settings: Settings, address: str) -> dict[str, str]:
    """Return the environment of a worker: this one's, and what the settings say that flags cannot."""
    return {
        **os.environ,
        "TEMPORAL_ADDRESS": address,
        "AOS_DOCUMENTS": os.pathsep.join(str(folder.absolute()) for folder in settings.documents),
        "AOS_OFFLINE_PAUSE": str(settings.offline_pause),
    }


def _arguments(settings: Settings, apps: list[str]) -> list[str]:
    return [*apps, "--home", str(settings.home), *(["--offline"] if settings.offline else [])]


async def _keep_running(process: _Process, what: str, report: Report) -> None:
    """Start a process again whenever it ends, at longer and longer intervals while it ends at once."""
    loop, pause = asyncio.get_running_loop(), 0.0
    began = loop.time()
    while True:
        code = await process.wait()
        pause = 0.0 if loop.time() - began > _SHORT_LIFE else min(max(0.5, pause * 2), _LONGEST_PAUSE)
        report(f"{what} ended with {code}; starting it again")
        await asyncio.sleep(pause)
        began = loop.time()
        await _start_again(process.start, what, report)


async def _end_when_broken(server: DevServer, report: Report) -> None:
    """Kill the server whenever it cannot use its database any more; `_keep_running` starts it again."""
    while True:
        said = await until_broken(server.address, NAMESPACE)
        report(f"the Temporal server fails every call ({said}); ending it, which loses nothing")
        server.kill()
        await server.wait()


async def _start_again(start: Callable[[], Awaitable[None]], what: str, report: Report) -> None:
    try:
        await start()
    except SetupError as error:
        report(f"{what} did not start: {error}")
