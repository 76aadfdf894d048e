"""Agents on a real server that ask each other in every shape: nobody hangs, and every circle is named."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from temporalio.testing import WorkflowEnvironment

from aos.conversation import ToolItem
from aos.names import agent_workflow_id
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls
from aos.views import AgentStatus
from engine.engine import Engine, running_engine
from engine.talkers import Call, results

_log = logging.getLogger(__name__)

COUNT, LONG_COUNT = 5, 50
LARGEST, LONG_LARGEST = 6, 200
AT_ONCE = 60
"""Agents that begin together: their models wait for each other, and a worker runs a hundred calls at a time."""

PATIENCE = 300.0
"""Seconds after which agents that have not answered hang: a question's own deadline is twice as far."""

_CIRCLE = re.compile(r"(?:\S+ → )+[^\s;]+")

Shape = Sequence[Sequence[Sequence[int]]]
"""For each agent, for each of its turns, whom it asks then, all at once."""


def ring(size: int) -> Shape:
    """All ask the next one at once: a circle that no chain of questions shows."""
    return [[[(number + 1) % size]] for number in range(size)]


def by_chance(chance: Random, size: int) -> Shape:
    """Each asks others in up to three turns, mostly one at a time."""

    def asked(number: int) -> list[int]:
        others = [other for other in range(size) if other != number]
        return chance.sample(others, min(chance.choice((0, 1, 1, 1, 1, 2)), len(others)))

    return [[asked(number) for _ in range(chance.randint(1, 3))] for number in range(size)]


@dataclass
class Scene:
    """Agents of one shape. `begin` are those who are told to go, all at the same time."""

    names: list[str]
    shape: Shape
    begin: list[int]
    turns: dict[int, int] = field(default_factory=dict[int, int])
    asked: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    questions: int = 0
    told: list[ToolItem] = field(default_factory=list[ToolItem])
    waiting: int = 0
    all_there: asyncio.Event = field(default_factory=asyncio.Event)

    async def think(self, number: int, request: ModelRequest) -> ModelResponse | str:
        """Answer as the agent of that number: ask in its next turn whom the shape says, then answer."""
        if found := results(request):
            self.told += found
            return "answered"
        turn = self.turns[number] = self.turns.get(number, -1) + 1
        if not turn and number in self.begin:
            await self._until_all_are_there()
        asked: Sequence[int] = self.shape[number][turn] if turn < len(self.shape[number]) else ()
        self.asked |= {(self._address(number), self._address(other)) for other in asked}
        self.questions += len(asked)
        wanted: list[Call] = [("ask", {"to": self.names[other], "text": f"question {turn}"}) for other in asked]
        return calls(*wanted) if wanted else "answered"

    async def _until_all_are_there(self) -> None:
        self.waiting += 1
        if self.waiting == len(self.begin):
            self.all_there.set()
        await self.all_there.wait()

    def _address(self, number: int) -> str:
        return agent_workflow_id(self.names[number])

    @property
    def messages(self) -> int:
        """How many messages were sent: those who were told to go, and the questions that were not refused at once."""
        refused = sum(item.text.startswith("not sent") for item in self.told)
        return len(self.begin) + self.questions - refused

    def circles(self) -> list[list[str]]:
        """Return the circles that agents were told of, each a list of addresses whose last is the first.

        Raises:
            AssertionError: A question was left without an answer for another reason, or a circle is none.
        """
        found: list[list[str]] = []
        for text in [item.text for item in self.told if item.error]:
            named = _CIRCLE.search(text)
            assert named, text
            circle = named.group().split(" → ")
            assert circle[0] == circle[-1] and len(set(circle)) == len(circle) - 1, text
            assert set(pairwise(circle)) <= self.asked, f"nobody asked so: {text}"
            found.append(circle)
        return found


async def play(engine: Engine, shape: Shape, begin: Sequence[int]) -> list[list[str]]:
    """Have agents ask each other until every question is handled, and return the circles that were named."""
    names = [engine.name() for _ in shape]
    scene = Scene(names, shape, list(begin))
    for number, name in enumerate(names):
        engine.models.scripts[name] = partial(scene.think, number)
    await asyncio.gather(
        *(engine.client.start({"name": name, "model": f"scripted:{name}", "tools": ["ask"]}) for name in names)
    )
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(engine.client.ask(names[number], "go") for number in begin))
            statuses = await _statuses(engine, names)
            while sum(status.handled for status in statuses) < scene.messages:
                await asyncio.sleep(0.05)
                statuses = await _statuses(engine, names)
    except TimeoutError:
        hanging = [f"{each.name}: {each.doing}" for each in await _statuses(engine, names) if each.waits_for]
        raise AssertionError(f"they hang: {hanging}") from None
    finally:
        scene.all_there.set()
    assert not any(status.waits_for or status.failed or status.dead_letters for status in statuses)
    return scene.circles()


async def _statuses(engine: Engine, names: Sequence[str]) -> list[AgentStatus]:
    return await asyncio.gather(*(engine.client.status(name) for name in names))


@pytest.mark.timeout(300)
async def test_all_who_ask_the_next_one_at_once_are_told_of_one_circle_of_all(
    temporal: WorkflowEnvironment, tmp_path: Path
) -> None:
    async with running_engine(temporal.client, tmp_path) as engine:
        (circle,) = await play(engine, ring(LARGEST), range(LARGEST))
    assert len(circle) == LARGEST + 1


@pytest.mark.timeout(3600)
async def test_agents_that_ask_each_other_by_chance_never_hang_and_every_circle_is_named(
    temporal: WorkflowEnvironment, tmp_path: Path, seed: int, long_form: bool
) -> None:
    count, largest = (LONG_COUNT, LONG_LARGEST) if long_form else (COUNT, LARGEST)
    circles = 0
    async with running_engine(temporal.client, tmp_path) as engine:
        for number in range(count):
            chance = Random(seed + number)
            # Mostly small, for there the circles are; every tenth as large as any.
            size = largest if number % 10 == 9 else chance.randint(3, max(LARGEST, largest // 10))
            shape, begin = by_chance(chance, size), chance.sample(range(size), min(size, AT_ONCE))
            try:
                found = await play(engine, shape, begin)
            except AssertionError as error:
                raise AssertionError(f"seed {seed + number}, {size} agents: {error}") from error
            circles += len(found)
            _log.info("%d agents: %d circles", size, len(found))
    assert circles > count // 2
