"""Shared memory that grows: writing, and finding by words, by meaning and by both."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence

from bench.measure import Sample
from bench.place import Place
from bench.results import Chart, Target, fact, median, p99, spread

ABOUT = (
    "A memory of so many records (size) in SQLite and in Postgres with pgvector, filled by transactions of 100. "
    "Records have 20 words from 30,000, as frequent as in a language, a scope of 50, a tag of 100, and a vector "
    "of 384 numbers from 2,000 clusters. Asked for are ten records: by three words, rare ones or frequent ones; by a "
    "vector; by both; by both within one scope or one tag. The vectors are made up: no model takes part. `recall` is "
    "the share of the ten truly nearest that were found."
)
SYSTEMS = ("sqlite", "postgres")
REPETITIONS = 1

WAYS = ("rare words", "frequent words", "meaning", "both", "both in a scope", "both with a tag")

_SIZES, _QUICK_SIZES = (10_000, 100_000, 1_000_000), (1_000, 5_000)
_MOST_MS, _LEAST_RECALL = 50.0, 0.9


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Fill a memory in a process of its own, and ask it at each size."""
    sizes = [str(size) for size in (_QUICK_SIZES if quick else _SIZES)]
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.cases._memory_worker", system, str(place.folder), *sizes),
        stdout=asyncio.subprocess.PIPE,
    )
    assert worker.stdout
    async for line in worker.stdout:
        yield Sample(case="memory", **json.loads(line))
    if await worker.wait():
        raise RuntimeError(f"the process with the memory in {system} failed")


def targets(samples: Sequence[Sample]) -> list[Target]:
    """What a million records may cost."""
    found: list[Target] = []
    for system in SYSTEMS:
        for way in ("rare words", "frequent words", "both"):
            what = f"p99 of finding by {way} among a million records in {system}"
            found.append(
                Target(what, median(samples, f"{system}: {way}", _SIZES[-1], p99), at_most=_MOST_MS, unit="ms")
            )
        recall = median(samples, f"{system}: meaning", _SIZES[-1], fact("recall"))
        found.append(Target(f"recall@10 by meaning among a million in {system}", recall, at_least=_LEAST_RECALL))
    return found


def charts(samples: Sequence[Sample]) -> list[Chart]:
    """The slowest in a hundred, by the number of records."""
    chart = Chart(
        "memory", "Finding ten records: the slowest in a hundred", "records", "milliseconds", logarithmic=True
    )
    sizes = sorted({sample.size for sample in samples})
    for system in SYSTEMS:
        for way in ("frequent words", "meaning", "both"):
            label = f"{system}: {way}"
            points = [(size, spread(samples, label, size, p99)) for size in sizes]
            chart.lines[label] = [(size, found) for size, found in points if found]
    return [chart]
