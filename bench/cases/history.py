"""What a turn writes into the history of its workflow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from bench.measure import MESSAGE, Sample, measured
from bench.place import Place
from bench.results import Target, fact, median

ABOUT = "What one turn adds to the history: a plain turn (size 0), and one with ten tool calls at once (size 10)."
SYSTEMS = ("floor", "aos")
REPETITIONS = 2

_CALLS = 10
_PLAIN_EVENTS, _PLAIN_BYTES = 11, 2048
_TURN_EVENTS, _CALL_EVENTS = 17, 6


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Count the events and bytes of some turns."""
    async with place.running(system, agents=1, tools=system == "aos") as agents:
        (name,) = agents.names
        for size in (0, _CALLS) if system == "aos" else (0,):
            sample = Sample("history", system, size, count=5 if quick else 20)
            before = (await agents.handle(name).fetch_history()).events
            with measured(sample, agents.parts):
                for _ in range(sample.count):
                    await agents.ask(name, f"tools {size}" if size else MESSAGE)
            added = (await agents.handle(name).fetch_history()).events[len(before) :]
            sample.facts["events_per_turn"] = len(added) / sample.count
            sample.facts["bytes_per_turn"] = sum(event.ByteSize() for event in added) / sample.count
            yield sample


def targets(samples: Sequence[Sample]) -> list[Target]:
    """Events and bytes of a turn."""
    return [
        Target("events of a plain turn", median(samples, "aos", 0, fact("events_per_turn")), at_most=_PLAIN_EVENTS),
        Target("bytes of a plain turn", median(samples, "aos", 0, fact("bytes_per_turn")), at_most=_PLAIN_BYTES),
        Target(
            f"events of a turn with {_CALLS} tool calls at once",
            median(samples, "aos", _CALLS, fact("events_per_turn")),
            at_most=_TURN_EVENTS + _CALL_EVENTS * _CALLS,
        ),
    ]
