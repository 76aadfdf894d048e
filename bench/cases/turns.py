"""Request and reply: how many turns a second, how long each takes, what it costs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

from bench.agents import Agents, at_once
from bench.measure import MESSAGE, REPLY, Sample, measured
from bench.peer import PeerRun
from bench.place import Place
from bench.results import Chart, Target, p50, per_second, ratio, spread

ABOUT = "Agents that are asked and reply, over a model that answers at once; each is asked again when it has replied."
SYSTEMS = ("floor", "aos")

_TURNS = {1: 120, 50: 8, 500: 2}
"""Turns of each agent, by the number of agents."""
_QUICK_TURNS = {1: 60, 50: 4, 500: 1}


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Measure one agent, then more and more of them on the same worker."""
    async with place.running(system, agents=1) as agents:
        for size, turns in (_QUICK_TURNS if quick else _TURNS).items():
            await agents.join(size - len(agents.names))
            sample = Sample("turns", system, size, count=size * turns)
            with measured(sample, agents.parts):
                sample.latencies_ms = await timed_turns(agents, turns)
            yield sample


async def timed_turns(agents: Agents, turns: int) -> list[float]:
    """Have each agent take so many turns, one after the other, all agents at once. Return their milliseconds."""
    taken: list[float] = []

    async def talk(name: str) -> None:
        for _ in range(turns):
            begin = time.perf_counter()
            reply = await agents.ask(name, MESSAGE)
            taken.append((time.perf_counter() - begin) * 1000)
            if reply != REPLY:
                raise ValueError(f"a wrong reply: {reply!r}")

    await at_once(agents.names, talk, len(agents.names))
    return taken


def peers(quick: bool) -> list[PeerRun]:
    """Every peer, with one agent and with fifty."""
    turns = _QUICK_TURNS if quick else _TURNS
    return [PeerRun(("--case", "turns", "--agents", str(size), "--turns", str(turns[size]))) for size in (1, 50)]


def targets(samples: Sequence[Sample]) -> list[Target]:
    """Turns a second as a share of the floor's, and the reply of a lone agent."""
    found = [
        Target(
            f"turns a second as a share of the floor's, {size} agent{'s' if size > 1 else ''}",
            ratio(samples, "aos", "floor", size, per_second),
            at_least=0.85,
        )
        for size in _TURNS
    ]
    return [
        *found,
        Target("median reply of a lone agent, times the floor's", ratio(samples, "aos", "floor", 1, p50), at_most=1.25),
    ]


def charts(samples: Sequence[Sample]) -> list[Chart]:
    """Turns a second by the number of agents."""
    chart = Chart("turns", "Turns a second by the number of agents", "agents", "turns a second")
    for system in dict.fromkeys(sample.system for sample in samples):
        points = [(size, spread(samples, system, size, per_second)) for size in _TURNS]
        chart.lines[system] = [(size, found) for size, found in points if found]
    return [chart]
