"""What a rollover costs, and how long it delays who writes at that moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from statistics import median as middle

from temporalio.api.enums.v1 import EventType

from bench.agents import Agents
from bench.cases._runs import Run, runs_of
from bench.measure import MESSAGE, Sample, measured
from bench.place import Place
from bench.results import Measure, Target, cpu_total, fact, median

ABOUT = (
    "Asks to an agent that rolls over about every hundred turns (size 100), and, block by block, to one that does not "
    "(size 0). Then six people ask at once (size 6): who asks during a rollover waits so much longer than the others."
)
SYSTEMS = ("aos",)

_TURNS = 100
_EVENTS = 11 * _TURNS
_BLOCKS, _QUICK_BLOCKS = 3, 2
_BLOCK = _TURNS + 10
"""Three blocks are less than the 4,096 events at which Temporal asks for a rollover."""

_CROWD = 6
_CROWD_ASKS, _QUICK_CROWD_ASKS = 70, 40
_COST, _DELAY_MS = 0.03, 50


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Measure a lone asker, with and without rollovers, then a crowd."""
    async with place.running(system, agents=1) as agents:
        (rolling,) = await agents.join(1, rollover_events=_EVENTS)
        (steady,) = await agents.join(1, rollover_events=20_000)
        with_rollovers, without = Sample("rollover", system, _TURNS), Sample("rollover", system, 0)
        for number in range(_QUICK_BLOCKS if quick else _BLOCKS):
            pair = [(rolling, with_rollovers), (steady, without)]
            for name, sample in pair if number % 2 else reversed(pair):
                await _ask_a_block(agents, name, sample)
        runs = await runs_of(place.temporal, agents.handle(rolling).id)
        _note_delays(with_rollovers, _delays_of_first_asks(runs, with_rollovers.latencies_ms))
        yield without
        yield with_rollovers
        yield await _ask_in_a_crowd(place, agents, _QUICK_CROWD_ASKS if quick else _CROWD_ASKS)


async def _ask_a_block(agents: Agents, name: str, total: Sample) -> None:
    block = Sample(total.case, total.system, total.size, count=_BLOCK)
    with measured(block, agents.parts):
        for _ in range(_BLOCK):
            total.latencies_ms.append(await _timed_ask(agents, name))
    for part, milliseconds in block.cpu_ms.items():
        before = total.cpu_ms.get(part, 0.0) * total.count
        total.cpu_ms[part] = (before + milliseconds * _BLOCK) / (total.count + _BLOCK)
    total.count += _BLOCK
    total.seconds += block.seconds


async def _timed_ask(agents: Agents, name: str) -> float:
    begin = time.perf_counter()
    await agents.ask(name, MESSAGE)
    return (time.perf_counter() - begin) * 1000


def _delays_of_first_asks(runs: Sequence[Run], latencies_ms: Sequence[float]) -> list[float]:
    """Return by how much the first ask of each later run took longer than the median. One came before all measured."""
    usual = middle(latencies_ms)
    asked, delays = -1, list[float]()
    for run in runs[:-1]:
        asked += run.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
        if asked < len(latencies_ms):
            delays.append(latencies_ms[asked] - usual)
    return delays


async def _ask_in_a_crowd(place: Place, agents: Agents, asks: int) -> Sample:
    (name,) = await agents.join(1, rollover_events=_EVENTS)
    sample = Sample("rollover", "aos", _CROWD, count=_CROWD * asks)
    spans: list[tuple[float, float]] = []

    async def person() -> None:
        for _ in range(asks):
            begin = time.time()
            sample.latencies_ms.append(await _timed_ask(agents, name))
            spans.append((begin, time.time()))

    with measured(sample, agents.parts):
        await asyncio.gather(*(person() for _ in range(_CROWD)))
    runs = await runs_of(place.temporal, agents.handle(name).id)
    moments = [run.events[-1].event_time.ToMicroseconds() / 1e6 for run in runs[:-1]]
    across = [end - begin for begin, end in spans if any(begin <= moment <= end for moment in moments)]
    usual = middle(end - begin for begin, end in spans)
    _note_delays(sample, [(seconds - usual) * 1000 for seconds in across])
    return sample


def _note_delays(sample: Sample, delays_ms: Sequence[float]) -> None:
    if delays_ms:
        sample.facts["delay_ms"] = middle(delays_ms)
        sample.facts["longest_delay_ms"] = max(delays_ms)
        sample.facts["delayed"] = len(delays_ms)


def targets(samples: Sequence[Sample]) -> list[Target]:
    """The cost of rollovers, and the delay of who asks at that moment."""
    return [
        Target("throughput lost to a rollover every hundred turns", _loss(samples, _seconds_per_turn), at_most=_COST),
        Target("CPU added by a rollover every hundred turns", _loss(samples, cpu_total), at_most=_COST),
        *(
            Target(
                f"longer wait at a rollover, {people} at a time",
                median(samples, "aos", size, fact("delay_ms")),
                at_most=_DELAY_MS,
                unit="ms",
            )
            for size, people in ((_TURNS, "one"), (_CROWD, "six"))
        ),
    ]


def _seconds_per_turn(sample: Sample) -> float | None:
    return sample.seconds / sample.count if sample.count else None


def _loss(samples: Sequence[Sample], cost: Measure) -> float | None:
    """Return by how much a turn with rollovers costs more. Each is compared with the one measured beside it."""
    rolling, steady = ([cost(sample) for sample in samples if sample.size == size] for size in (_TURNS, 0))
    shares = [mine / other - 1 for mine, other in zip(rolling, steady, strict=True) if mine and other]
    return middle(shares) if shares else None
