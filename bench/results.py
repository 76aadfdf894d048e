"""What the samples of a run come to: medians, spreads, targets."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bench.measure import Sample


@dataclass(frozen=True)
class Spread:
    """The median of some repetitions, the least and the most of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return the spread of values, None where there are none."""
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1]) if found else None


@dataclass(frozen=True)
class Target:
    """A target beside what was measured. `measured` is None where the run lacks what it takes."""

    what: str
    measured: float | None
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met, None where nothing was measured."""
        if self.measured is None:
            return None
        return (self.at_least is None or self.measured >= self.at_least) and (
            self.at_most is None or self.measured <= self.at_most
        )


@dataclass(frozen=True)
class Chart:
    """A plot: one line for each system, of points (x, spread)."""

    name: str
    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, Spread]]] = field(default_factory=dict[str, list[tuple[float, Spread]]])
    logarithmic: bool = False


Measure = Callable[[Sample], float | None]


def per_second(sample: Sample) -> float | None:
    """Units of work per second."""
    return sample.count / sample.seconds if sample.seconds else None


def p50(sample: Sample) -> float | None:
    """The median latency, in milliseconds."""
    return quantile(sample.latencies_ms, 0.5)


def p99(sample: Sample) -> float | None:
    """The latency that one in a hundred exceeds, in milliseconds."""
    return quantile(sample.latencies_ms, 0.99)


def cpu(part: str) -> Measure:
    """Return what gives the CPU of a part (server, worker, client, database), in milliseconds per unit."""
    return lambda sample: sample.cpu_ms.get(part)


def cpu_total(sample: Sample) -> float | None:
    """The CPU of all parts, in milliseconds per unit."""
    return sum(sample.cpu_ms.values()) if sample.cpu_ms else None


def fact(name: str) -> Measure:
    """Return what gives a fact of that name."""
    return lambda sample: sample.facts.get(name)


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the value that `share` of the values do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(samples: Iterable[Sample], system: str, size: int, measure: Measure) -> Spread | None:
    """Return what a measure came to over the repetitions of one system at one size."""
    values = [measure(sample) for sample in samples if sample.system == system and sample.size == size]
    return Spread.of(value for value in values if value is not None)


def median(samples: Iterable[Sample], system: str, size: int, measure: Measure) -> float | None:
    """Return the median of a measure over the repetitions of one system at one size."""
    found = spread(samples, system, size, measure)
    return found.median if found else None


def ratio(samples: Sequence[Sample], system: str, other: str, size: int, measure: Measure) -> float | None:
    """Return the median of one system as a share of the other's."""
    mine, theirs = median(samples, system, size, measure), median(samples, other, size, measure)
    return mine / theirs if mine is not None and theirs else None
