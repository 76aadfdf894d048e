"""One long task of a team whose members speak in turn: does a turn cost more the longer the task lasts?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

from temporalio.api.enums.v1 import EventType

from bench.cases._length import Length
from bench.cases._runs import Run, runs_of
from bench.measure import Sample, measured
from bench.peer import PeerRun
from bench.place import Place
from bench.results import Chart, Measure, Target, cpu, fact, p50, ratio, spread
from bench.teams import Team, Teams, running_teams

ABOUT = (
    "Three members take turns in one task. From turn 10, 100 and 1,000 on, some turns are measured; beside them, block "
    "by block, as many of a team that has just begun (`aos young`), so that whatever else the machine does hits both. "
    "The floor is a parent workflow and three children that signal each other, each turn one activity. Peers are "
    "measured around those turns. A turn is timed from one answer to the next; bytes and events are the parent's."
)
SYSTEMS = ("floor", "aos")
REPETITIONS, PEER_REPETITIONS = 3, 2

YOUNG = "aos young"
MEMBERS = 3
_SIZES, _QUICK_SIZES = (10, 100, 1_000), (10, 100)
_BLOCKS = 4
_BLOCK, _QUICK_BLOCK = 60, 20
"""Turns measured at a time. Four blocks of 60 turns hold as many events as a team lives through between rollovers."""

_YOUNG_TURNS = 10
_FLAT, _FLOOR = 1.05, 1.3


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Measure from each size on, and let the task go on in between."""
    async with running_teams(place, system) as teams:
        old = await teams.in_turn(MEMBERS)
        for size in _QUICK_SIZES if quick else _SIZES:
            await _take_until(old, size)
            pair = [(old, Sample("teams", system, size))]
            if system == "aos":
                young = await teams.in_turn(MEMBERS)
                await _take_until(young, _YOUNG_TURNS)
                pair.append((young, Sample("teams", YOUNG, size)))
            for number in range(_BLOCKS):
                for team, sample in pair if number % 2 else reversed(pair):
                    await measure_block(teams, team, sample, _QUICK_BLOCK if quick else _BLOCK)
            for _, sample in pair:
                yield sample


async def _take_until(team: Team, turns: int) -> None:
    if (missing := turns - await team.turns()) > 0:
        await team.take_turns(missing)


async def measure_block(teams: Teams, team: Team, total: Sample, turns: int) -> None:
    """Add the cost of about so many turns to `total`, whose CPU and facts are means per turn."""
    block = Sample(total.case, total.system, total.size)
    taken, before = await team.turns(), await Length.of(teams.place.temporal, team.handle.id)
    with measured(block, teams.parts):
        await team.take_turns(turns)
        block.count = await team.turns() - taken
    events, size = await before.growth()
    block.facts = {"events_per_turn": events / block.count, "bytes_per_turn": size / block.count}
    times = _answered_at(await runs_of(teams.place.temporal, team.handle.id))[-block.count :]
    total.latencies_ms += [(after - earlier) * 1000 for earlier, after in pairwise(times)]
    for old, new in ((total.cpu_ms, block.cpu_ms), (total.facts, block.facts)):
        for what, value in new.items():
            old[what] = (old.get(what, 0.0) * total.count + value * block.count) / (total.count + block.count)
    total.count += block.count
    total.seconds += block.seconds


def _answered_at(runs: Sequence[Run]) -> list[float]:
    """Return when each answer of a member came, in seconds since 1970."""
    return [
        event.event_time.ToNanoseconds() / 1e9
        for run in runs
        for event in run.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        and event.workflow_execution_signaled_event_attributes.signal_name == "reply"
    ]


def peers(quick: bool) -> list[PeerRun]:
    """Those that have teams, or what one is made of."""
    arguments = ("--case", "team", "--turns", "100" if quick else "1000")
    return [PeerRun(arguments, only=("autogen", "langgraph_sqlite", "langgraph_postgres"))]


def _cpu(sample: Sample) -> float | None:
    """The CPU of server and worker: the client does nothing but look."""
    server, worker = cpu("server")(sample), cpu("worker")(sample)
    return server + worker if server is not None and worker is not None else None


def targets(samples: Sequence[Sample]) -> list[Target]:
    """The latest turns beside those of a young task, and beside the floor's."""
    size = max((sample.size for sample in samples if sample.system == "aos"), default=max(_SIZES))
    measures: list[tuple[str, Measure]] = [
        ("median time", p50),
        ("CPU of server and worker", _cpu),
        ("history bytes", fact("bytes_per_turn")),
    ]
    young = f"of team turn {size:,}, times that of a turn of a task that has just begun"
    floor = f"of team turn {size:,}, times the floor's"
    return [
        *(
            Target(f"{what} {young}", ratio(samples, "aos", YOUNG, size, measure), at_most=_FLAT)
            for what, measure in measures
        ),
        *(
            Target(f"{what} {floor}", ratio(samples, "aos", "floor", size, measure), at_most=_FLOOR)
            for what, measure in measures
        ),
    ]


def charts(samples: Sequence[Sample]) -> list[Chart]:
    """The time of a turn, over the turns that were before."""
    chart = Chart("teams", "Time of a turn in one long task of a team", "turn", "milliseconds", logarithmic=True)
    sizes = sorted({sample.size for sample in samples})
    for system in dict.fromkeys(sample.system for sample in samples if sample.system != YOUNG):
        points = [(size, spread(samples, system, size, p50)) for size in sizes]
        chart.lines[system] = [(size, found) for size, found in points if found]
    return [chart]
