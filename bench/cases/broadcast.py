"""A broadcast to all members of a team: does the time of each grow with their number?"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

from bench.measure import Sample, measured
from bench.place import Place
from bench.results import Chart, Target, median, spread
from bench.teams import running_teams

ABOUT = (
    "A team whose members all answer one task at once, which is over when all have; they have answered once before. "
    "Per second are members. The floor is a parent workflow that signals its children and takes in their signals, "
    "each after one activity."
)
SYSTEMS = ("floor", "aos")
REPETITIONS = 3

_SIZES, _QUICK_SIZES = (10, 100, 1_000), (10, 100)
_LINEAR = 1.2
_ROUNDS = {10: 10, 100: 3, 1_000: 1}
"""Broadcasts measured, by the number of members."""


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Measure one team after the other."""
    async with running_teams(place, system) as teams:
        for size in _QUICK_SIZES if quick else _SIZES:
            team = await teams.at_once(size)
            rounds = 1 if quick else _ROUNDS[size]
            sample = Sample("broadcast", system, size, count=size * rounds)
            spoken = 0
            with measured(sample, teams.parts):
                for _ in range(rounds):
                    begin = time.perf_counter()
                    spoken += await team.broadcast()
                    sample.latencies_ms.append((time.perf_counter() - begin) * 1000)
            sample.facts["missing"] = sample.count - spoken
            yield sample


def _milliseconds(sample: Sample) -> float | None:
    """The time of each member."""
    return sample.seconds * 1000 / sample.count if sample.count else None


def targets(samples: Sequence[Sample]) -> list[Target]:
    """Time of a member in the largest team beside that in a smaller one; members that were not heard."""
    sizes = sorted({sample.size for sample in samples if sample.system == "aos"})
    small, large = sizes[-2:] if len(sizes) > 1 else _SIZES[-2:]
    mine, other = (median(samples, "aos", size, _milliseconds) for size in (large, small))
    missing = [sample.facts.get("missing", 0.0) for sample in samples if sample.system == "aos"]
    return [
        Target(
            f"time per member of a broadcast to {large:,}, times that of one to {small:,}",
            mine / other if mine is not None and other else None,
            at_most=_LINEAR,
        ),
        Target("members missing in any broadcast", max(missing, default=None), at_most=0),
    ]


def charts(samples: Sequence[Sample]) -> list[Chart]:
    """The time of each member, by their number."""
    chart = Chart("broadcast", "Time per member of a broadcast to all", "members", "milliseconds")
    for system in dict.fromkeys(sample.system for sample in samples):
        points = [(size, spread(samples, system, size, _milliseconds)) for size in _SIZES]
        chart.lines[system] = [(size, found) for size, found in points if found]
    return [chart]
