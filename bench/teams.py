"""Teams of either system on a worker of their own: how they are started, and how their turns are counted."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle

from aos.client import AosClient
from aos.message import Message
from bench.floor.team import Family, Parent
from bench.floor.workflows import TASK_QUEUE
from bench.measure import MESSAGE
from bench.place import CACHED, Place
from bench.processes import Program

TASK = "the-task"
"""Id of the one task of a team that speaks in turn."""

_MOST = 100_000
_PAUSE = 0.25
"""How often it is looked whether a team has taken its turns, in seconds: rarely, for each look costs CPU."""


class Team(ABC):
    """A team that lives. `members` is how many are in it."""

    def __init__(self, handle: WorkflowHandle[Any, Any], members: int) -> None:
        self.handle = handle
        self.members = members

    @abstractmethod
    async def turns(self) -> int:
        """Return how many turns its members have taken in their one task."""

    @abstractmethod
    async def take_turns(self, count: int) -> None:
        """Have its members take about so many turns more, one after the other, and return when nobody speaks."""

    @abstractmethod
    async def broadcast(self) -> int:
        """Have all its members speak at once, and return how many of them have."""


class FloorTeam(Team):
    """A workflow of the type `Parent`."""

    async def turns(self) -> int:
        """Ask the parent."""
        return await self.handle.query(Parent.turns)

    async def take_turns(self, count: int) -> None:
        """Tell the parent how many."""
        goal = await self.turns() + count
        await self.handle.signal(Parent.take_turns, count)
        while await self.turns() < goal:
            await asyncio.sleep(_PAUSE)

    async def broadcast(self) -> int:
        """Tell the parent."""
        return await self.handle.execute_update(Parent.broadcast, MESSAGE)  # pyright: ignore[reportUnknownMemberType] - the SDK's signature


class AosTeam(Team):
    """A team of AOS. It takes turns by being resumed and paused again: its task is one from first to last."""

    def __init__(self, name: str, client: AosClient, members: int) -> None:
        super().__init__(client.temporal.get_workflow_handle(f"team/{name}"), members)
        self.name = name
        self._client = client

    async def turns(self) -> int:
        """Count those of all members."""
        return (await self._look())[0]

    async def take_turns(self, count: int) -> None:
        """Resume it, and pause it when it has taken them."""
        goal = await self.turns() + count
        await self._client.teams.resume(self.name)
        while await self.turns() < goal:
            await asyncio.sleep(_PAUSE)
        await self._client.teams.pause(self.name)
        while (await self._look())[1]:
            await asyncio.sleep(_PAUSE)

    async def _look(self) -> tuple[int, int]:
        """Return how many turns its members were given, and how many of them have not answered."""
        members = (await self._client.teams.status(self.name)).members
        return sum(member.turns for member in members), sum(member.waiting_for for member in members)

    async def broadcast(self) -> int:
        """Give it a task, and look who has spoken when it is over."""
        task = Message(text=MESSAGE, id=f"task-{uuid4().hex[:12]}")
        await self._client.ask(f"team/{self.name}", task)
        return (await self._client.teams.task(self.name, task.id)).task.messages - 1


@dataclass(frozen=True)
class Teams(ABC):
    """Teams of one system, and the worker that serves them."""

    place: Place
    worker: Program

    @property
    def parts(self) -> dict[str, list[int]]:
        """The processes whose CPU `measured` counts."""
        return {"server": [self.place.server.pid], "worker": [self.worker.pid], "client": [os.getpid()]}

    @abstractmethod
    async def in_turn(self, members: int) -> Team:
        """Start a team whose members take turns for ever in one task, once it is told to take some."""

    @abstractmethod
    async def at_once(self, members: int) -> Team:
        """Start a team whose members all speak at once, and return when they are there."""


class FloorTeams(Teams):
    """Bare parents and children."""

    async def in_turn(self, members: int) -> Team:
        """Start a parent."""
        return await _parent(self.place.temporal, members)

    async def at_once(self, members: int) -> Team:
        """Start a parent, whose children are there when all have spoken."""
        team = await _parent(self.place.temporal, members)
        await team.broadcast()
        return team


async def _parent(temporal: Client, members: int) -> FloorTeam:
    name = f"parent-{uuid4().hex[:10]}"
    family = Family([f"{name}.child-{number}" for number in range(members)])
    return FloorTeam(await temporal.start_workflow(Parent.run, family, id=name, task_queue=TASK_QUEUE), members)


class AosTeams(Teams):
    """Teams of AOS."""

    async def in_turn(self, members: int) -> Team:
        """Start a team that is paused, with a task that does not end."""
        name = await self._start(
            members,
            strategy={"type": "round_robin"},
            termination={"type": "max_messages", "count": _MOST},
            max_turns=_MOST,
        )
        await self.place.aos.teams.pause(name)
        await self.place.aos.send(f"team/{name}", Message(text=MESSAGE, id=TASK))
        return AosTeam(name, self.place.aos, members)

    async def at_once(self, members: int) -> Team:
        """Start a team, whose members are there when all have spoken."""
        name = await self._start(members, strategy={"type": "broadcast"}, max_turns=_MOST)
        team = AosTeam(name, self.place.aos, members)
        await team.broadcast()
        return team

    async def _start(self, members: int, **spec: object) -> str:
        name = f"team-{uuid4().hex[:10]}"
        await self.place.aos.teams.start({"name": name, "members": _members(members), **spec})
        return name


def _members(count: int) -> Sequence[dict[str, object]]:
    return [{"name": f"member-{number}", "agent": {"purpose": "be measured"}} for number in range(count)]


@asynccontextmanager
async def running_teams(place: Place, system: str, *, cached: int = CACHED) -> AsyncGenerator[Teams]:
    """Run a worker of `floor` or `aos`, for teams that the block starts, until it ends."""
    if system == "floor":
        worker, kind = place.floor_worker(cached=cached), FloorTeams
    else:
        worker, kind = place.aos_worker(cached=cached), AosTeams
    async with worker:
        yield kind(place, worker)
