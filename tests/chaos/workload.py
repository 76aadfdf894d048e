"""Who sends what: senders in order, storms at rollovers, numbers out of order, and everything twice."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from aos.client import AosClient
from aos.errors import Unreachable
from aos.message import Message
from aos.message import Sequence as Place
from aos.names import agent_workflow_id
from chaos.journal import Entry, Journal
from chaos.worker import TOOL_MARK

_log = logging.getLogger(__name__)

_ASK_EVERY = 10
_TOOL_EVERY = 5
_REPEAT_EVERY = 6
_ATTEMPTS = 3
_NEAR_ROLLOVER = 25
_STORM_PATIENCE = 5.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent under load, and whether its messages may want a tool."""

    name: str
    tools: bool = False
    batch: int = 1
    rollover_events: int = 400

    @property
    def spec(self) -> dict[str, object]:
        """What it is started with."""
        return {
            "name": self.name,
            "model": f"scripted:{self.name}",
            "purpose": "live through chaos",
            "batch": self.batch,
            "rollover_events": self.rollover_events,
            "context_tokens": 2_000,
            "tools": ["chaos/record"] if self.tools else [],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is sent: `lanes` x `lane` messages in order to every agent, storms and shuffles to one agent each."""

    lanes: int
    lane: int
    storms: int
    storm: int
    shuffles: int
    shuffle: int


class Workload:
    """Sends messages through several connections, and notes in the journal what came of it."""

    def __init__(self, clients: Sequence[AosClient], agents: Sequence[Agent], journal: Journal, seed: int) -> None:
        self._clients = clients
        self._agents = agents
        self._journal = journal
        self._seed = seed
        self._sent: list[tuple[Entry, Message]] = []
        self._over = asyncio.Event()

    async def run(self, plan: Plan) -> None:
        """Send everything, and return when all of it is acknowledged."""
        chance = random.Random(f"{self._seed}/load")
        repeating = asyncio.create_task(self._repeat())
        async with asyncio.TaskGroup() as senders:
            for agent in self._agents:
                for number in range(plan.lanes):
                    senders.create_task(self._lane(agent, number, plan.lane))
            senders.create_task(self._storms(chance.choices(self._agents, k=plan.storms), plan.storm))
            senders.create_task(self._shuffles(chance.choices(self._agents, k=plan.shuffles), plan.shuffle))
        self._over.set()
        await repeating

    async def _lane(self, agent: Agent, number: int, count: int) -> None:
        """Send one after the other. Every other lane numbers its messages itself, so that they may come again late."""
        chance = random.Random(f"{self._seed}/{agent.name}/{number}")
        client = self._clients[number % len(self._clients)]
        stream = _Stream() if number % 2 else None
        for place in range(count):
            mark = TOOL_MARK if agent.tools and place % _TOOL_EVERY == 0 else ""
            entry = self._journal.invoke(
                f"{agent.name}/{number}/{place}{mark}", agent.name, f"lane-{number}", place, tool=bool(mark)
            )
            message = Message(text=entry.text, id=entry.text, sender=entry.lane or "")
            if stream:
                message = message.model_copy(update={"sequence": stream.place(place + 1)})
            if chance.randrange(_ASK_EVERY) == 0:
                await self._ask(client, entry, message)
            elif chance.randrange(_ASK_EVERY) == 0:
                # The same message over two connections at once.
                other = self._clients[(number + 1) % len(self._clients)]
                self._journal.repeats += 1
                await asyncio.gather(self._send(client, entry, message), self._send(other, entry, message))
            else:
                await self._send(client, entry, message)

    async def _storms(self, agents: Sequence[Agent], size: int) -> None:
        """Send to an agent from all connections at once when it is about to roll over."""
        for number, agent in enumerate(agents):
            await self._until_near_rollover(agent)
            entries = [
                self._journal.invoke(f"{agent.name}/storm-{number}/{place}", agent.name, None, place)
                for place in range(size)
            ]
            async with asyncio.TaskGroup() as storm:
                for place, entry in enumerate(entries):
                    client = self._clients[place % len(self._clients)]
                    storm.create_task(self._send(client, entry, Message(text=entry.text, id=entry.text)))

    async def _until_near_rollover(self, agent: Agent) -> None:
        temporal = self._clients[0].temporal
        give_up = time.monotonic() + _STORM_PATIENCE
        while time.monotonic() < give_up:
            description = await temporal.get_workflow_handle(agent_workflow_id(agent.name)).describe()
            if agent.rollover_events - _NEAR_ROLLOVER <= description.history_length:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _shuffles(self, agents: Sequence[Agent], size: int) -> None:
        """Send numbers out of their order, as signals that no client library has put in order."""
        chance = random.Random(f"{self._seed}/shuffle")
        streams = {agent.name: _Stream() for agent in agents}
        first = dict.fromkeys(streams, 1)
        for number, agent in enumerate(agents):
            places = [*range(first[agent.name], first[agent.name] + size)]
            first[agent.name] += size
            chance.shuffle(places)
            for place in places:
                entry = self._journal.invoke(f"{agent.name}/shuffle-{number}/{place}", agent.name, None, place)
                sequence = streams[agent.name].place(place)
                message = Message(text=entry.text, id=entry.text, sequence=sequence)
                await self._send(chance.choice(self._clients), entry, message)

    async def _repeat(self) -> None:
        """Send again what was sent before: what has a number however old it is, another soon, also as a question."""
        chance = random.Random(f"{self._seed}/repeat")
        while not self._over.is_set():
            if self._journal.repeats >= len(self._sent) // _REPEAT_EVERY:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            numbered = [pair for pair in self._sent if pair[1].sequence]
            entry, message = chance.choice(numbered if numbered and chance.random() < 0.7 else self._sent[-100:])
            client = chance.choice(self._clients)
            self._journal.repeats += 1
            await (self._ask if chance.random() < 0.2 else self._send)(client, entry, message)

    async def _send(self, client: AosClient, entry: Entry, message: Message) -> None:
        await self._try(entry, lambda: client.send(entry.agent, message), message)

    async def _ask(self, client: AosClient, entry: Entry, message: Message) -> None:
        self._journal.asked += 1

        async def ask() -> None:
            reply = await client.ask(entry.agent, message)
            assert entry.text in reply.text.split(), f"the reply to {entry.text} is to another: {reply.text!r}"

        await self._try(entry, ask, message)

    async def _try(self, entry: Entry, call: Callable[[], Awaitable[object]], message: Message) -> None:
        """Make a call until it succeeds: of one that gave up nobody knows whether it came through."""
        for attempt in range(_ATTEMPTS):
            try:
                await call()
            except Unreachable:
                self._journal.unknown += 1
                self._journal.tell(entry, "unknown")
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                break
        if not entry.acknowledged:
            self._sent.append((entry, message))
        self._journal.acknowledge(entry)


class _Stream:
    """Numbers that a sender gives its messages itself, as the client library would."""

    def __init__(self) -> None:
        self._id = uuid4().hex[:16]
        self._born = time.time_ns() // 1_000_000

    def place(self, number: int) -> Place:
        return Place(stream=self._id, born=self._born, number=number)
