"""Agents of either system on a worker of their own, spoken to in that system's public way."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle

from aos.client import AosClient
from aos.names import agent_workflow_id
from bench.aos_worker import TOOL
from bench.floor.workflows import TASK_QUEUE, Bare
from bench.measure import MESSAGE
from bench.processes import Program
from bench.servers import Server

_AT_A_TIME = 16


class Agents(ABC):
    """Agents of one system."""

    def __init__(self, server: Server, worker: Program) -> None:
        self._server = server
        self.worker = worker
        self.names: list[str] = []

    @property
    def parts(self) -> dict[str, list[int]]:
        """The processes whose CPU `measured` counts."""
        return {"server": [self._server.pid], "worker": [self.worker.pid], "client": [os.getpid()]}

    async def start(self, count: int, **spec: Any) -> list[str]:
        """Start so many more agents, and return their names, once the server has taken them all."""
        names = [f"agent-{uuid4().hex[:12]}" for _ in range(count)]
        await at_once(names, lambda name: self._start(name, spec))
        self.names += names
        return names

    async def join(self, count: int, **spec: Any) -> list[str]:
        """Start so many more agents, and return their names once each has answered."""
        names = await self.start(count, **spec)
        await at_once(names, lambda name: self.ask(name, MESSAGE))
        return names

    @abstractmethod
    async def _start(self, name: str, spec: dict[str, Any]) -> None: ...

    @abstractmethod
    async def ask(self, name: str, text: str) -> str:
        """Ask an agent, and return its reply."""

    @abstractmethod
    def handle(self, name: str) -> WorkflowHandle[Any, Any]:
        """Return the workflow of an agent, to look at its history."""


class FloorAgents(Agents):
    """Workflows of the type `Bare`."""

    def __init__(self, server: Server, worker: Program, temporal: Client) -> None:
        super().__init__(server, worker)
        self._temporal = temporal

    async def _start(self, name: str, spec: dict[str, Any]) -> None:
        await self._temporal.start_workflow(Bare.run, id=name, task_queue=TASK_QUEUE)

    async def ask(self, name: str, text: str) -> str:
        """Ask by an update."""
        handle = self.handle(name)
        return await handle.execute_update("ask", text, result_type=str)  # pyright: ignore[reportUnknownMemberType] - the SDK's signature

    def handle(self, name: str) -> WorkflowHandle[Any, Any]:
        """Return the workflow."""
        return self._temporal.get_workflow_handle(name)


class AosAgents(Agents):
    """Agents of AOS."""

    def __init__(self, server: Server, worker: Program, client: AosClient, *, tools: bool) -> None:
        super().__init__(server, worker)
        self._client = client
        self._tools = [TOOL] if tools else []

    async def _start(self, name: str, spec: dict[str, Any]) -> None:
        await self._client.start({"name": name, "purpose": "be measured", "tools": self._tools, **spec})

    async def ask(self, name: str, text: str) -> str:
        """Ask by `AosClient.ask`."""
        return (await self._client.ask(name, text)).text

    def handle(self, name: str) -> WorkflowHandle[Any, Any]:
        """Return the workflow of an agent."""
        return self._client.temporal.get_workflow_handle(agent_workflow_id(name))


async def at_once(
    names: list[str], act: Callable[[str], Coroutine[Any, Any, object]], at_a_time: int = _AT_A_TIME
) -> None:
    """Do something for each name, so many at a time."""
    waiting = iter(names)

    async def go_on() -> None:
        for name in waiting:
            await act(name)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_a_time, len(names))):
            group.create_task(go_on())
