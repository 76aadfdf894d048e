"""What is acknowledged is handled, once and in order, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aos.client import AosClient
from aos.message import Message
from aos_workers.home import Home
from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import DevServer, free_port

SEED = 20_261_123
SENDERS = 4
MESSAGES = 1_000
WORKER_KILLS = 6
SERVER_KILLS = 2
ROLLOVERS = 20


class Worker:
    """A ledger worker that is started again whenever it dies."""

    def __init__(self, address: str, home: Home, ledger: Path) -> None:
        self._command = [sys.executable, str(Path(__file__).with_name("ledger_worker.py"))]
        self._command += [address, str(home.path), str(ledger)]
        self._log = home.logs / "worker.log"
        self._process: asyncio.subprocess.Process | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeper.cancel()
            self.kill()
            if self._process:
                await self._process.wait()

    def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()

    async def _keep(self) -> None:
        while True:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(*self._command, stdout=log, stderr=log)
            if await self._process.wait() != -signal.SIGKILL:
                # It could not be set up, or the server was away for longer than it waits.
                await asyncio.sleep(0.5)


@pytest.mark.timeout(400)
async def test_a_thousand_messages_over_twenty_rollovers_and_eight_kills_are_each_handled_once_in_order(
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    home, ledger = Home(tmp_path), tmp_path / "ledger.jsonl"
    server = DevServer(find_temporal(cache_folder(), _quiet), home, port=free_port(), ui_port=None)
    await server.start()
    worker = Worker(server.address, home, ledger)
    try:
        async with worker.running():
            client = await AosClient.connect(server.address)
            await client.start({"name": "ada", "purpose": "be killed", "rollover_events": 250})
            sent = asyncio.gather(*(_send_all(server.address, sender) for sender in range(SENDERS)))
            await _kill_at_moments(client, server, worker, chance)
            acknowledged = {text for texts in await sent for text in texts}
            status = await _until_handled(client, MESSAGES)
            transcript = await client.transcript("ada", limit=10)
            assert status.rollovers >= ROLLOVERS
            assert status.failed == 0
            assert status.dead_letters == 0
            assert transcript.lines
    finally:
        await server.stop()
    _check(acknowledged, ledger)


async def _send_all(address: str, sender: int) -> list[str]:
    """Send a share of the messages, one after the other; every tenth is an ask, whose reply is checked."""
    client = await AosClient.connect(address)
    acknowledged: list[str] = []
    for number in range(MESSAGES // SENDERS):
        text = f"{sender}:{number}"
        message = Message(text=text, sender=f"sender-{sender}")
        if number % 10:
            await client.send("ada", message)
        else:
            reply = await client.ask("ada", message)
            assert reply.text == f"done: {text}"
        acknowledged.append(text)
    return acknowledged


async def _kill_at_moments(client: AosClient, server: DevServer, worker: Worker, chance: random.Random) -> None:
    """Kill the worker and the server when so many messages are handled, the numbers drawn from the seed."""
    moments = sorted(chance.sample(range(50, MESSAGES - 50), WORKER_KILLS + SERVER_KILLS))
    servers = set(chance.sample(moments, SERVER_KILLS))
    for moment in moments:
        await _until_handled(client, moment)
        if moment in servers:
            server.kill()
            await server.wait()
            await server.start()
        else:
            worker.kill()


async def _until_handled(client: AosClient, count: int):  # the type is AgentStatus, from the client
    while (status := await client.status("ada")).handled < count:
        await asyncio.sleep(0.05)
    return status


def _check(acknowledged: set[str], ledger: Path) -> None:
    turns: dict[str, set[str]] = defaultdict(set)
    order: dict[str, list[int]] = defaultdict(list)
    for line in ledger.read_text().splitlines():
        key, text = json.loads(line)
        if key not in turns[text]:
            sender, number = text.split(":")
            order[sender].append(int(number))
        turns[text].add(key)
    assert acknowledged == set(turns), "acknowledged is what was handled, no more and no less"
    twice: Sequence[str] = [text for text, keys in turns.items() if len(keys) > 1]
    assert not twice, "no message is handled under two keys"
    assert all(numbers == sorted(numbers) for numbers in order.values()), "each sender's order is kept"


def _quiet(line: str) -> None:
    """Progress that no test needs."""
