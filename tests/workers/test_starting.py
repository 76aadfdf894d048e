"""Workers that start while the server is away, busy or slow to know them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker, WorkerDeploymentConfig

from aos.errors import SetupError, Unreachable
from aos_workers import deployment, starting
from aos_workers.deployment import make_current
from aos_workers.starting import connect_in_time, start_worker, until_served
from chaos.proxy import Proxy
from engine.server import running_server


@activity.defn
async def rest() -> None:
    """Do nothing."""


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(temporal: WorkflowEnvironment) -> AsyncGenerator[Proxy]:
    """A way to the server that can be shut."""
    between = Proxy(int(temporal.client.service_client.config.target_host.rpartition(":")[2]))
    async with between.running():
        yield between


def shut(proxy: Proxy) -> None:
    proxy.refuses = True
    proxy.cut()


async def test_a_worker_waits_for_a_server_that_is_away(temporal: WorkflowEnvironment, proxy: Proxy) -> None:
    proxy.refuses = True
    connecting = asyncio.create_task(connect_in_time(proxy.address, []))
    done, _ = await asyncio.wait([connecting], timeout=1)
    assert not done
    proxy.refuses = False

    await until_served(await connecting)


async def test_a_worker_gives_a_server_up_that_stays_away(
    temporal: WorkflowEnvironment, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "PATIENCE", 0.2)
    proxy.refuses = True

    with pytest.raises(Unreachable, match=proxy.address):
        await connect_in_time(proxy.address, [])


async def test_a_namespace_that_is_not_there_is_said_and_not_waited_for(temporal: WorkflowEnvironment) -> None:
    with pytest.raises(SetupError, match="nowhere"):
        await until_served(await in_namespace(temporal, "nowhere"))


async def in_namespace(temporal: WorkflowEnvironment, name: str) -> Client:
    return await Client.connect(temporal.client.service_client.config.target_host, namespace=name)


def worker(client: Client) -> Worker:
    return Worker(client, task_queue=f"starting-{uuid4()}", activities=[rest])


async def test_a_worker_whose_first_call_fails_is_made_again(temporal: WorkflowEnvironment) -> None:
    clients = [await in_namespace(temporal, "nowhere"), temporal.client]
    async with AsyncExitStack() as stack:
        started = await start_worker(stack, lambda: worker(clients.pop(0)))
        assert started.is_running
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()
    assert started.is_shutdown


async def test_a_worker_whose_first_call_keeps_failing_ends_in_one_sentence(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "PATIENCE", 0.2)
    client = await in_namespace(temporal, "nowhere")
    async with AsyncExitStack() as stack:
        with pytest.raises(Unreachable, match="no Temporal server answers") as raised:
            await start_worker(stack, lambda: worker(client))
    assert "\n" not in str(raised.value)


async def test_a_start_that_is_cancelled_ends_also_while_the_worker_fails(temporal: WorkflowEnvironment) -> None:
    client = await in_namespace(temporal, "nowhere")
    made = asyncio.Queue[None]()

    def make() -> Worker:
        made.put_nowait(None)
        return worker(client)

    async def start() -> None:
        async with AsyncExitStack() as stack:
            await start_worker(stack, make)

    task = asyncio.create_task(start())
    await made.get()
    await made.get()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def build() -> WorkerDeploymentConfig:
    version = WorkerDeploymentVersion(deployment_name=f"starting-{uuid4().hex[:8]}", build_id="1")
    return WorkerDeploymentConfig(version=version, use_worker_versioning=True)


async def test_a_build_is_made_current_by_a_server_that_was_away(temporal: WorkflowEnvironment, proxy: Proxy) -> None:
    client = await connect_in_time(proxy.address, [])
    config = build()
    serving = Worker(client, task_queue=f"starting-{uuid4()}", activities=[rest], deployment_config=config)
    async with serving:
        shut(proxy)
        making = asyncio.create_task(make_current(client, config))
        done, _ = await asyncio.wait([making], timeout=1)
        assert not done
        proxy.refuses = False
        await making


async def test_a_build_that_the_server_refuses_is_not_tried_again(temporal: WorkflowEnvironment) -> None:
    version = WorkerDeploymentVersion(deployment_name="", build_id="1")
    with pytest.raises(SetupError, match="does not take build '1'"):
        await make_current(temporal.client, WorkerDeploymentConfig(version=version, use_worker_versioning=True))


async def test_a_build_that_the_server_never_knows_is_given_up(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "PATIENCE", 0.2)
    with pytest.raises(SetupError, match="does not take build '1'"):
        await make_current(temporal.client, build())


async def wait_for(log: asyncio.StreamReader, event: str) -> None:
    while json.loads(line := await log.readline())["event"] != event:
        assert line


@pytest.mark.parametrize("then", ["opened", "told to stop"])
async def test_the_worker_says_that_it_waits_and_then_serves_or_stops_as_told(tmp_path: Path, then: str) -> None:
    async with running_server(tmp_path) as server:
        proxy = Proxy(int(server.client.service_client.config.target_host.rpartition(":")[2]))
        proxy.refuses = True
        async with proxy.running():
            command = [sys.executable, "-m", "aos_workers", "--offline", "--home", str(tmp_path / "home")]
            process = await asyncio.create_subprocess_exec(
                *command, "--address", proxy.address, stderr=asyncio.subprocess.PIPE
            )
            assert process.stderr is not None
            await wait_for(process.stderr, "waiting_for_temporal")
            if then == "opened":
                proxy.refuses = False
                await wait_for(process.stderr, "worker_ready")
            process.terminate()
            rest_of_log = (await process.stderr.read()).decode()
            assert await process.wait() == 0, rest_of_log
    assert "Traceback" not in rest_of_log
