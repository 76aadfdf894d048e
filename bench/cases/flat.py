"""One long conversation: does a turn cost more the longer it lasts?"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing

from aos_workers.home import Home
from bench.agents import Agents, at_once
from bench.cases._length import Length
from bench.measure import MESSAGE, Sample, measured
from bench.peer import PeerRun
from bench.place import Place
from bench.results import Chart, Measure, Target, cpu_total, fact, p50, ratio, spread

ABOUT = (
    "One conversation. From turn 10, 100, 1,000 and 10,000 on, some turns are measured; beside them, block by block, "
    "as many of a conversation that has just begun (`aos young`), so that whatever else the machine does hits both. "
    "Peers are measured around those turns. Bytes per turn are the history's, or else the database's."
)
SYSTEMS = ("aos",)
REPETITIONS, PEER_REPETITIONS = 2, 1

YOUNG = "aos young"
_SIZES, _QUICK_SIZES = (10, 100, 1_000, 10_000), (10, 100, 1_000)
_BLOCKS = 4
_BLOCK, _QUICK_BLOCK = 35, 15
"""Turns measured at a time. Four blocks of 35 turns hold as many events as an agent lives through between rollovers."""

_YOUNG_TURNS = 10
_PORTION, _FEW = 400, 100
_PAUSE = 0.05
_TIMES = 1.05


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Measure around each size, and let the conversation grow in between."""
    async with place.running(system, agents=1) as agents:
        (old,) = agents.names
        for size in _QUICK_SIZES if quick else _SIZES:
            await _talk_until(place, old, size)
            (young,) = await agents.join(1)
            await _talk_until(place, young, _YOUNG_TURNS)
            grown, fresh = Sample("flat", system, size), Sample("flat", YOUNG, size)
            for number in range(_BLOCKS):
                pair = [(old, grown), (young, fresh)]
                for name, sample in pair if number % 2 else reversed(pair):
                    await _measure_block(place, agents, name, sample, _QUICK_BLOCK if quick else _BLOCK)
            for name, sample in ((old, grown), (young, fresh)):
                sample.facts["context_tokens"] = (await place.aos.status(name)).context_tokens
                yield sample


async def _talk_until(place: Place, name: str, turns: int) -> None:
    """Send messages until the agent has taken so many turns; a few always wait, so that it never rests."""
    handled = sent = (await place.aos.status(name)).handled
    while handled < turns:
        if sent - handled < _FEW and sent < turns:
            portion = min(_PORTION, turns - sent)
            await at_once([name] * portion, lambda name: place.aos.send(name, MESSAGE))
            sent += portion
        else:
            await asyncio.sleep(_PAUSE)
        handled = (await place.aos.status(name)).handled


async def _measure_block(place: Place, agents: Agents, name: str, total: Sample, turns: int) -> None:
    """Add the cost of some turns to `total`, whose CPU and facts are means per turn."""
    block = Sample(total.case, total.system, total.size, count=turns)
    before, stored = await Length.of(place.temporal, agents.handle(name).id), _stored_bytes(place)
    with measured(block, agents.parts):
        for _ in range(turns):
            begin = time.perf_counter()
            await agents.ask(name, MESSAGE)
            total.latencies_ms.append((time.perf_counter() - begin) * 1000)
    events, size = await before.growth()
    block.facts = {
        "events_per_turn": events / turns,
        "bytes_per_turn": size / turns,
        "stored_bytes_per_turn": (_stored_bytes(place) - stored) / turns,
    }
    for old, new in ((total.cpu_ms, block.cpu_ms), (total.facts, block.facts)):
        for what, value in new.items():
            old[what] = (old.get(what, 0.0) * total.count + value * turns) / (total.count + turns)
    total.count += turns
    total.seconds += block.seconds


def _stored_bytes(place: Place) -> int:
    with closing(sqlite3.connect(f"file:{Home(place.folder).blobs}?mode=ro", uri=True)) as database:
        (pages,), (size,) = (database.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
    return pages * size


def peers(quick: bool) -> list[PeerRun]:
    """The peers that keep a conversation, as far as they get."""
    return [PeerRun(("--case", "flat", "--turns", "100" if quick else "1000"))]


def targets(samples: Sequence[Sample]) -> list[Target]:
    """The latest turns beside those of a young conversation, and how far the others get."""
    size = max((sample.size for sample in samples if sample.system == "aos"), default=max(_SIZES))
    beside = f"of turn {size:,}, times that of a turn of a conversation that has just begun"
    measures: list[tuple[str, Measure]] = [
        ("median time", p50),
        ("CPU", cpu_total),
        ("history bytes", fact("bytes_per_turn")),
        ("stored bytes", fact("stored_bytes_per_turn")),
    ]
    return [
        Target(f"{what} {beside}", ratio(samples, "aos", YOUNG, size, measure), at_most=_TIMES)
        for what, measure in measures
    ]


def charts(samples: Sequence[Sample]) -> list[Chart]:
    """The time of a turn, over the turns that were before."""
    chart = Chart("flat", "Time of a turn in one long conversation", "turn", "milliseconds", logarithmic=True)
    sizes = sorted({sample.size for sample in samples})
    for system in dict.fromkeys(sample.system for sample in samples if sample.system != YOUNG):
        points = [(size, spread(samples, system, size, p50)) for size in sizes]
        chart.lines[system] = [(size, found) for size, found in points if found]
    return [chart]
