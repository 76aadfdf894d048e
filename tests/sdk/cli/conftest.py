"""A real server with real workers, and the command run against them."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from aos.connection import connect
from aos.conversation import ToolItem, Usage
from aos.errors import TerminalModelError
from aos.provider import ModelRequest, ModelResponse
from aos.testing import ScriptedProvider, calls, last_text
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_workers.settings import Settings
from aos_workers.worker import Parts, running_workers
from command_line import Command, Target
from engine.server import apart

_LONG = "The tide tables of the whole year. " * 3000


@pytest.fixture(scope="session")
def workers(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server with workers, whose model says what `_script` says."""
    address = temporal.client.service_client.config.target_host
    home = tmp_path_factory.mktemp("home")
    ready: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        try:
            stop = asyncio.Event()
            registry = ProviderRegistry([ScriptedProvider(_script)], ["scripted:x"])
            memory = SqliteMemory(home / "memory.db")
            parts = Parts(store=SqliteBlobStore(home / "blobs.db"), registry=registry, memory=memory)
            loop = asyncio.get_running_loop()
            client = await apart(await connect(address), "cli")
            async with running_workers(client, Settings(home=home), parts):
                ready.set_result((client.namespace, lambda: loop.call_soon_threadsafe(stop.set)))
                await stop.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    namespace, stop = ready.result()
    yield Target(address, namespace)
    stop()
    thread.join()


def _script(request: ModelRequest) -> ModelResponse | str:
    said = last_text(request)
    if "fail" in said:
        raise TerminalModelError("scripted", "x", "it does not want to", "ask for something else")
    if "time" in said and not isinstance(request.items[-1], ToolItem):
        return calls(("current_time", {}))
    if request.output_schema:
        return '{"answer": 42}'
    if "long" in said:
        return _LONG
    if "escape" in said:
        return "red \x1b[31malert\x07"
    return ModelResponse(text=f"You said: {said}", usage=Usage(input_tokens=1200, output_tokens=30))


@pytest.fixture
def aos(workers: Target) -> Command:
    """The command, run against the server with workers."""
    return Command(*workers.options)


@pytest.fixture
def alone() -> Command:
    """The command, without options that say where a server is."""
    return Command()


@pytest.fixture
def ada(aos: Command) -> str:
    """Name of an agent that is alive."""
    name = f"ada-{uuid4().hex[:8]}"
    aos("start", name, "--purpose", "Watch the harbour.")
    return name


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], str]:
    """Writes a file and returns its path."""

    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def unused_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
