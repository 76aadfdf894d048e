"""What goes wrong and when, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["kill worker", "kill server", "kill all", "drop", "reset", "silence", "delay", "half-open", "full"]
Where = Literal["", "clients", "workers", "database", "blobs"]

WORKERS = 2
"""Worker processes that run at a time."""

NETWORK: tuple[Kind, ...] = ("drop", "reset", "silence", "delay")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that begins when `at` messages are handled. It lasts `seconds`, and a delay is of `delay` seconds."""

    at: int
    kind: Kind
    where: Where = ""
    seconds: float = 0.0
    delay: float = 0.0

    def __str__(self) -> str:
        told = f"at {self.at}: {self.kind} {self.where}".rstrip()
        told += f" for {self.seconds:.2f} s" if self.seconds else ""
        return told + (f", {self.delay:.2f} s each way" if self.delay else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of it there is to be. `kills_of_all` are kills of the server and of all workers at once.

    Those count among the others. `half_open` connections are silent until somebody notices, which takes long.
    """

    messages: int
    worker_kills: int
    server_kills: int
    kills_of_all: int
    network: int
    half_open: int
    full_disks: int


def schedule(chance: random.Random, sizes: Sizes) -> list[Fault]:
    """Return the faults in the order of their moments, which lie between a hundredth and nine tenths of the way."""
    wanted = [Fault(0, "kill all")] * sizes.kills_of_all
    wanted += [Fault(0, "kill worker")] * (sizes.worker_kills - WORKERS * sizes.kills_of_all)
    wanted += [Fault(0, "kill server")] * (sizes.server_kills - sizes.kills_of_all)
    # Every kind comes to every side before one comes a second time.
    sides: tuple[Where, Where] = ("clients", "workers")
    kinds = len(NETWORK)
    wanted += [Fault(0, NETWORK[number % kinds], sides[number // kinds % 2]) for number in range(sizes.network)]
    wanted += [Fault(0, "half-open", sides[number % 2]) for number in range(sizes.half_open)]
    disks: tuple[Where, Where] = ("database", "blobs")
    wanted += [Fault(0, "full", disks[number % 2]) for number in range(sizes.full_disks)]
    chance.shuffle(wanted)
    first, last = sizes.messages // 100, sizes.messages * 9 // 10
    moments = sorted(chance.sample(range(first, last), len(wanted)))
    return [_drawn(chance, fault, at) for fault, at in zip(wanted, moments, strict=True)]


def _drawn(chance: random.Random, fault: Fault, at: int) -> Fault:
    match fault.kind:
        case "drop" | "silence":
            return replace(fault, at=at, seconds=chance.uniform(0.2, 3.0))
        case "delay":
            return replace(fault, at=at, seconds=chance.uniform(1.0, 4.0), delay=chance.uniform(0.05, 2.0))
        case "full":
            return replace(fault, at=at, seconds=chance.uniform(1.5, 3.0))
        case _:
            return replace(fault, at=at)
