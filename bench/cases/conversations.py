"""Conversations that go on: what a turn costs those that hand all of it to their model by way of the history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from bench.cases.turns import timed_turns
from bench.measure import Sample, measured
from bench.peer import PeerRun
from bench.place import Place
from bench.results import Target, cpu_total, per_second, ratio

ABOUT = (
    "Fifty agents on one worker, each in a conversation of 20 turns (`turns` has the first 8), over a model that "
    "answers at once; beside them the other frameworks whose agents are Temporal workflows."
)
SYSTEMS = ("floor", "aos")
REPETITIONS, PEER_REPETITIONS = 3, 3

_AGENTS = 50
_TURNS, _QUICK_TURNS = 20, 6


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Have each agent take its turns, all agents at once."""
    turns = _QUICK_TURNS if quick else _TURNS
    async with place.running(system, agents=_AGENTS) as agents:
        sample = Sample("conversations", system, _AGENTS, count=_AGENTS * turns)
        with measured(sample, agents.parts):
            sample.latencies_ms = await timed_turns(agents, turns)
        yield sample


def peers(quick: bool) -> list[PeerRun]:
    """Those on Temporal."""
    turns = str(_QUICK_TURNS if quick else _TURNS)
    arguments = ("--case", "turns", "--agents", str(_AGENTS), "--turns", turns)
    return [PeerRun(arguments, only=("pydantic_ai", "openai_agents"))]


def targets(samples: Sequence[Sample]) -> list[Target]:
    """Turns a second beside Pydantic AI's, and CPU beside the floor's."""
    return [
        Target(
            f"turns a second, times Pydantic AI's on Temporal, {_AGENTS} agents",
            ratio(samples, "aos", "pydantic_ai", _AGENTS, per_second),
            at_least=1.8,
        ),
        Target("CPU of a turn, times the floor's", ratio(samples, "aos", "floor", _AGENTS, cpu_total), at_most=1.2),
    ]
