"""What a turn costs with messages of different lengths."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from time import perf_counter

from bench.measure import Sample, measured
from bench.place import Place
from bench.results import Chart, Target, p50, spread

ABOUT = "Request and reply of a lone agent, whose message has so many bytes (size); the model always answers the same."
SYSTEMS = ("floor", "aos")
REPETITIONS = 2

_SIZES = (10, 1_000, 10_000, 100_000)


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Ask with messages of each length."""
    async with place.running(system, agents=1, context_tokens=1_000_000) as agents:
        (name,) = agents.names
        for size in _SIZES:
            sample = Sample("message_size", system, size, count=10 if quick else 40)
            before = (await agents.handle(name).fetch_history()).events
            with measured(sample, agents.parts):
                for number in range(sample.count):
                    began = perf_counter()
                    await agents.ask(name, f"{number:<{size}}".replace(" ", "x"))
                    sample.latencies_ms.append((perf_counter() - began) * 1000)
            added = (await agents.handle(name).fetch_history()).events[len(before) :]
            sample.facts["events_per_turn"] = len(added) / sample.count
            sample.facts["bytes_per_turn"] = sum(event.ByteSize() for event in added) / sample.count
            yield sample


def targets(samples: Sequence[Sample]) -> list[Target]:
    """None: it shows how cost grows."""
    return []


def charts(samples: Sequence[Sample]) -> list[Chart]:
    """The time of a turn, over the length of its message."""
    chart = Chart(
        "message_size", "Time of a turn by the length of its message", "bytes", "milliseconds", logarithmic=True
    )
    for system in SYSTEMS:
        points = [(size, spread(samples, system, size, p50)) for size in _SIZES]
        chart.lines[system] = [(size, found) for size, found in points if found]
    return [chart]
