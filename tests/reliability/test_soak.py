"""Many agents at work for minutes: nothing grows, nothing sticks, nothing is lost."""

from __future__ import annotations

import asyncio
import logging
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from aos.message import Event, Message
from faults.site import Site, WorkerProcess, running_site

_log = logging.getLogger(__name__)

MIB = 1024 * 1024
SLOPE = 1.0
"""MiB a minute by which a worker may grow."""

RUN_EVENTS, RUN_BYTES = 5_000, 4 * MIB
TASK_ATTEMPTS = 5
"""From so many attempts at a workflow task on, Temporal reports it as a problem."""

SAMPLE_SECONDS = 2.0
WORDS = "soak " * 60


@dataclass(frozen=True)
class Size:
    """How long the soak is, in seconds, and how many agents there are. `pause` is between the messages to one."""

    agents: int
    seconds: float
    warm_up: float
    pause: float


SHORT = Size(agents=20, seconds=15, warm_up=5, pause=0.5)
LONG = Size(agents=100, seconds=480, warm_up=180, pause=3.0)


@dataclass
class Soak:
    """What was sent to agents, counted in `taken`, and what was seen of the worker."""

    site: Site
    size: Size
    names: list[str]
    chance: random.Random
    taken: dict[str, int] = field(default_factory=dict[str, int])
    memory: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    attempts: int = 0

    async def run(self, worker: WorkerProcess) -> None:
        """Send to all agents, and watch, until the time is over."""
        until = time.monotonic() + self.size.seconds
        await asyncio.gather(self._watch(worker, until), *(self._talk(name, until) for name in self.names))

    async def _talk(self, name: str, until: float) -> None:
        number = 0
        self.taken[name] = 0
        pause = 0.0 if name.startswith("hot") else self.size.pause
        await asyncio.sleep(pause * self.chance.random())
        while time.monotonic() < until:
            number += 1
            await self._say(name, number)
            await asyncio.sleep(pause * (0.5 + self.chance.random()))

    async def _say(self, name: str, number: int) -> None:
        client, draw = self.site.client, self.chance.random()
        text = f"{number} {WORDS}"
        if draw < 0.03:
            await client.configure(name, {"purpose": f"soak on, {number}"})
            return
        if draw < 0.1:
            await client.tell_event(name, Event(type="ship.came", source="soak", id=str(number)))
        elif draw < 0.3:
            await client.send(name, Message(text=text, sender="soak"))
        elif draw < 0.5:
            assert (await client.ask(name, f"tools {text}")).text == f"done: tools {text}"[:106]
        else:
            assert (await client.ask(name, text)).text == f"done: {text}"[:106]
        self.taken[name] += 1

    async def _watch(self, worker: WorkerProcess, until: float) -> None:
        began, process = time.monotonic(), psutil.Process(worker.pid)
        while time.monotonic() < until:
            await asyncio.sleep(SAMPLE_SECONDS)
            seconds, mebibytes = time.monotonic() - began, process.memory_info().rss / MIB
            self.memory.append((seconds, mebibytes))
            if len(self.memory) % 5 == 0:
                self.attempts = max(self.attempts, await self._most_attempts())
                _log.info("after %.0f s: %d messages, %.1f MiB", seconds, sum(self.taken.values()), mebibytes)

    async def _most_attempts(self) -> int:
        described = await asyncio.gather(*(self.site.engine.handle(name).describe() for name in self.names))
        return max(each.raw_description.pending_workflow_task.attempt for each in described)

    def slope(self) -> float:
        """Return by how many MiB a minute the worker grew after the warm-up, by least squares."""
        warm = [(seconds / 60, mebibytes) for seconds, mebibytes in self.memory if seconds > self.size.warm_up]
        return statistics.linear_regression(*zip(*warm, strict=True)).slope


@pytest.mark.timeout(1200)
async def test_agents_under_a_steady_mixed_load_neither_grow_nor_stick_nor_lose_anything(
    tmp_path: Path, long_form: bool, seed: int
) -> None:
    size = LONG if long_form else SHORT
    # The hot ones get their next message at once; one of them lives so long in one run that Temporal itself objects.
    lives = {f"agent-{number}": 200 for number in range(size.agents - 3)}
    lives |= {"hot-1": 1_500, "hot-2": 1_500, "hot-for-long": 20_000}
    async with running_site(tmp_path) as site:
        worker = site.worker(fresh=True)
        await worker.start()
        spec = {"model": "told:busy", "context_tokens": 2_000, "triggers": [{"type": "event", "event": "ship.*"}]}
        for name, events in lives.items():
            await site.client.start({**spec, "name": name, "rollover_events": events})
        soak = Soak(site, size, list(lives), random.Random(seed))
        await soak.run(worker)
        for name, count in soak.taken.items():
            await site.engine.until_handled(name, count)
            status = await site.client.status(name)
            assert (status.handled, status.failed, status.dead_letters) == (count, 0, 0), f"--seed {seed}: {name}"
        runs = [await _largest_run(site, name) for name in lives]
    told = f"--seed {seed}: {soak.slope():.2f} MiB a minute, {max(runs)} events and bytes in the largest run"
    _log.info("%s", told)
    assert soak.attempts < TASK_ATTEMPTS, told
    assert max(events for events, _ in runs) <= RUN_EVENTS, told
    assert max(size for _, size in runs) <= RUN_BYTES, told
    if long_form:
        assert soak.slope() < SLOPE, told


async def _largest_run(site: Site, name: str) -> tuple[int, int]:
    """Return the most events and bytes of a run of an agent, none of whose workflow tasks failed."""
    most, largest = 0, 0
    for run in await site.engine.runs(name):
        events = await site.engine.events(name, run)
        most, largest = max(most, len(events)), max(largest, sum(event.ByteSize() for event in events))
    assert await site.engine.failed_tasks(name) == []
    return most, largest
