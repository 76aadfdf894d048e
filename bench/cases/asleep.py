"""What agents cost while they sleep, and how fast they are started and woken."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from temporalio.client import WorkflowHandle

from bench.agents import Agents, at_once
from bench.measure import MESSAGE, Sample, cpu_seconds, measured, rss_bytes
from bench.place import Place
from bench.results import Target, fact, median, p99, ratio

ABOUT = (
    "Agents that were started and sleep. In the cache of one worker (size 1,000); beyond a cache of a hundred "
    "(`evicted`, whose worker has lost them all but those); and, in a full run, ten thousand of AOS's with a cache of "
    "two thousand. Memory is what each further agent adds to the processes; the time is until all have run for the "
    "first time; CPU is milliseconds for each second of sleep; the latencies are those of fifty that are woken, drawn "
    "at random."
)
SYSTEMS = ("floor", "aos")
REPETITIONS = 2

_COUNT, _CROWD = 1_000, 10_000
_FEW, _FEW_CACHED, _CACHED = 200, 100, 2_000
_WAKES = 50
_SLEEP, _QUICK_SLEEP = 20.0, 8.0
_AT_A_TIME = 16
_PAUSE = 0.2
_FIRST_TASK_EVENTS = 4
_SEED = 20_261_123

_WORKER_KIB, _EVICTED_KIB, _TOTAL_GB, _WAKE_MS, _START_S, _START_TIMES = 50, 20, 1.2, 100, 12, 1.3


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Put more and more agents to sleep."""
    seconds = _QUICK_SLEEP if quick else _SLEEP
    async with place.running(system, agents=_FEW) as agents:
        yield await _sleep(place, agents, Sample("asleep", system, _COUNT, count=_COUNT), seconds)
        names = list(agents.names)
    async with place.running(system, agents=_FEW, cached=_FEW_CACHED) as agents:
        yield await _sleep(place, agents, Sample("asleep", f"{system} evicted", _COUNT, count=_COUNT), seconds)
        names += agents.names
    if system == "aos" and not quick:
        async with place.running(system, agents=0, cached=_CACHED) as agents:
            agents.names += names
            count = _CROWD - len(names)
            yield await _sleep(place, agents, Sample("asleep", system, _CROWD, count=count), seconds)


async def _sleep(place: Place, agents: Agents, sample: Sample, seconds: float) -> Sample:
    """Start so many more agents as `sample` counts, let them sleep, wake some."""
    parts = {part: pids[0] for part, pids in agents.parts.items() if part != "client"}
    with _grown(sample, parts):
        with measured(sample, agents.parts):
            names = await agents.start(sample.count)
            await _all_have_run([agents.handle(name) for name in names])
        await _quiet(list(parts.values()))
    sample.facts["total_mb"] = sum(map(rss_bytes, parts.values())) / 1e6
    before = {part: cpu_seconds(pid) for part, pid in parts.items()}
    await asyncio.sleep(seconds)
    for part, pid in parts.items():
        sample.facts[f"asleep_{part}_ms"] = (cpu_seconds(pid) - before[part]) * 1000 / seconds
    for name in random.Random(_SEED).sample(agents.names, _WAKES):
        begin = time.perf_counter()
        await agents.ask(name, MESSAGE)
        sample.latencies_ms.append((time.perf_counter() - begin) * 1000)
    return sample


@contextmanager
def _grown(sample: Sample, parts: dict[str, int]) -> Generator[None]:
    """Note what each agent that is started meanwhile adds to the memory of the processes."""
    before = {part: rss_bytes(pid) for part, pid in parts.items()}
    yield
    for part, pid in parts.items():
        sample.facts[f"{part}_kib"] = (rss_bytes(pid) - before[part]) / 1024 / sample.count


async def _all_have_run(handles: Sequence[WorkflowHandle[Any, Any]]) -> None:
    """Return once each workflow has had its first workflow task."""
    waiting = {handle.id: handle for handle in handles}

    async def look(workflow_id: str) -> None:
        described = await waiting[workflow_id].describe()
        if described.history_length >= _FIRST_TASK_EVENTS:
            del waiting[workflow_id]

    while waiting:
        await at_once(list(waiting), look, _AT_A_TIME)
        await asyncio.sleep(_PAUSE if waiting else 0)


async def _quiet(pids: Sequence[int]) -> None:
    """Return once the processes do next to nothing, or after a while."""
    for _ in range(30):
        before = sum(map(cpu_seconds, pids))
        await asyncio.sleep(1)
        if sum(map(cpu_seconds, pids)) - before < 0.05:
            return


def targets(samples: Sequence[Sample]) -> list[Target]:
    """Memory, CPU, start and wake."""
    return [
        Target(
            "worker memory of an agent asleep in cache",
            median(samples, "aos", _COUNT, fact("worker_kib")),
            at_most=_WORKER_KIB,
            unit="KiB",
        ),
        Target(
            "worker memory of an evicted agent",
            median(samples, "aos evicted", _COUNT, fact("worker_kib")),
            at_most=_EVICTED_KIB,
            unit="KiB",
        ),
        Target(
            "CPU of a worker with a thousand agents asleep",
            median(samples, "aos", _COUNT, fact("asleep_worker_ms")),
            at_most=1,
            unit="ms a second",
        ),
        Target(
            f"memory of server and worker with {_CROWD:,} agents",
            _gigabytes(median(samples, "aos", _CROWD, fact("total_mb"))),
            at_most=_TOTAL_GB,
            unit="GB",
        ),
        *(
            Target(f"waking {which}, 99 of 100", median(samples, system, size, p99), at_most=_WAKE_MS, unit="ms")
            for which, system, size in (
                ("an agent in cache", "aos", _COUNT),
                ("an evicted agent", "aos evicted", _COUNT),
                (f"one of {_CROWD:,}", "aos", _CROWD),
            )
        ),
        _starting(samples),
    ]


def _gigabytes(megabytes: float | None) -> float | None:
    return megabytes / 1000 if megabytes is not None else None


def _starting(samples: Sequence[Sample]) -> Target:
    """Twelve seconds, or 1.3 times the floor's where that is more."""
    mine = median(samples, "aos", _COUNT, _seconds)
    times = ratio(samples, "aos", "floor", _COUNT, _seconds)
    floor = mine / times if mine is not None and times else 0.0
    at_most = max(_START_S, _START_TIMES * floor)
    return Target(f"starting {_COUNT:,} agents", mine, at_most=at_most, unit="s")


def _seconds(sample: Sample) -> float:
    return sample.seconds
