"""A server whose database stays interrupted: that ours is none, and that one is told and replaced."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from aos_workers.home import Home
from aos_workers.local import local_aos
from aos_workers.settings import Settings, cache_folder
from aos_workers.temporal import gobuild, watchdog
from aos_workers.temporal.server import NAMESPACE, DevServer, free_port
from aos_workers.temporal.watchdog import until_broken

INTERRUPTED = "GetNamespace operation failed. Error interrupted (9)"
CALLERS, CALLS = 16, 4000


async def test_a_server_answers_on_after_thousands_of_calls_that_timed_out(
    temporal_binary: Path, home: Home, seed: int
) -> None:
    if temporal_binary != gobuild.target(cache_folder()):
        pytest.skip("the server is not of our build, and may have a driver that stays interrupted")
    chance = random.Random(seed)
    request = DescribeNamespaceRequest(namespace=NAMESPACE)
    async with DevServer(temporal_binary, home, port=free_port(), ui_port=None) as server:
        service = (await Client.connect(server.address)).workflow_service

        async def call_in_vain(times: int) -> list[str]:
            failures: list[str] = []
            for _ in range(times):
                try:
                    await service.describe_namespace(request, timeout=timedelta(seconds=chance.uniform(0.0005, 0.02)))
                except RPCError as error:
                    failures.append(error.message)
            return failures

        failures = await asyncio.gather(*(call_in_vain(CALLS // CALLERS) for _ in range(CALLERS)))
        said = [message for each in failures for message in each]
        assert len(said) > 100, "the time-outs were too long to fall into the calls"
        assert INTERRUPTED not in said, f"run again with --seed {seed}"
        described = await service.describe_namespace(request, timeout=timedelta(seconds=10))
        assert described.namespace_info.name == NAMESPACE


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the server says at the next looks, one after the other; afterwards it is well."""
    said: list[str | None] = []

    async def next_one(client: Client) -> str | None:
        return said.pop(0) if said else None

    monkeypatch.setattr(watchdog, "_complaint", next_one)
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(watchdog, "BROKEN_SECONDS", 0.04)
    return said


async def test_a_server_that_stays_interrupted_is_told(complaints: list[str | None]) -> None:
    complaints += [INTERRUPTED] * 20

    assert await until_broken(f"127.0.0.1:{free_port()}", NAMESPACE) == INTERRUPTED
    assert len(complaints) < 19, "it was told by more than one failure"


async def test_a_server_that_is_interrupted_now_and_then_is_left_alone(complaints: list[str | None]) -> None:
    complaints += [INTERRUPTED, None] * 20

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await until_broken(f"127.0.0.1:{free_port()}", NAMESPACE)
    assert not complaints


async def test_a_server_that_is_away_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(watchdog, "BROKEN_SECONDS", 0.04)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await until_broken(f"127.0.0.1:{free_port()}", NAMESPACE)


async def test_a_broken_server_is_ended_and_started_again_on_its_database(
    tmp_path: Path, complaints: list[str | None]
) -> None:
    lines: list[str] = []
    again = asyncio.Event()

    def report(line: str) -> None:
        lines.append(line)
        if "starting it again" in line:
            again.set()

    settings = Settings(home=tmp_path, offline=True)
    async with local_aos(settings, [], port=free_port(), ui_port=free_port(), report=report) as local:
        client = await Client.connect(local.address)
        started = await client.start_workflow("Waiting", id="w", task_queue="nobody")
        complaints += [INTERRUPTED] * 50
        await again.wait()
        complaints.clear()
        found = await client.get_workflow_handle("w").describe()

    assert found.run_id == started.result_run_id
    assert any(INTERRUPTED in line and "the Temporal server fails every call" in line for line in lines)
    assert any("the Temporal server ended with -9; starting it again" in line for line in lines)
