"""Agents as Temporal workflows `Chat(Kept)` with the update `ask(text) -> text` and the query `written`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from peers._peer import Program, main
from temporalio.client import Client
from temporalio.plugin import SimplePlugin
from temporalio.worker import Worker

_WORKER = "--worker"


def run_chat(system: str, chat: type, plugin: Callable[[], SimplePlugin]) -> None:
    """Run the peer, or its worker: the same script in a process of its own, as it is deployed."""
    if sys.argv[1] == _WORKER:
        asyncio.run(_work(*sys.argv[2:4], chat, plugin()))
        return

    @asynccontextmanager
    async def opened(arguments: argparse.Namespace) -> AsyncGenerator[ChatPeer]:
        # A queue of its own: what an earlier run may have left on the server is nobody's.
        queue = f"{system}-{os.urandom(4).hex()}"
        worker = Program(sys.executable, sys.argv[0], _WORKER, arguments.address, queue)
        try:
            client = await Client.connect(arguments.address, plugins=[plugin()])
            yield ChatPeer(client, queue, {"server": [arguments.server_pid], "worker": [worker.pid]})
        finally:
            worker.stop()

    main(system, opened)


async def _work(address: str, queue: str, chat: type, plugin: SimplePlugin) -> None:
    client = await Client.connect(address, plugins=[plugin])
    # The cache holds all agents of every case, as AOS's does; the rest is as it comes.
    await Worker(client, task_queue=queue, workflows=[chat], max_cached_workflows=2000).run()


@dataclass
class ChatPeer:
    """The client's side."""

    client: Client
    queue: str
    parts: dict[str, list[int]]
    own: str = "client"
    durable: bool = True

    async def start(self, names: Sequence[str]) -> None:
        await asyncio.gather(
            *(
                self.client.start_workflow("Chat", None, id=f"{self.queue}-{name}", task_queue=self.queue)
                for name in names
            )
        )

    async def ask(self, name: str, text: str) -> str:
        handle = self.client.get_workflow_handle(f"{self.queue}-{name}")
        return await handle.execute_update("ask", text, result_type=str)

    async def weigh(self, names: Sequence[str]) -> dict[str, float]:
        handles = [self.client.get_workflow_handle(f"{self.queue}-{name}") for name in names]
        written = await asyncio.gather(*(handle.query("written", result_type=list[int]) for handle in handles))
        return {what: float(sum(row[place] for row in written)) for place, what in enumerate(("bytes", "events"))}
