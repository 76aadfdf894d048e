"""What a run of a benchmark measures: the time of each turn, and the CPU of processes. Standard library only.

The peers run it in environments of their own, so it imports nothing that they might not have.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

MESSAGE = "The customer of order 4711 asks where it is. What do we tell him, in one short sentence?"
"""What an agent is asked in a turn, in every system."""

REPLY = "Your order left our house on Monday morning, and it will be with you before Friday night."
"""What its model answers."""

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and of its children that have ended, user and system; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def rss_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """Return a process and all its descendants, such as the backends of a Postgres."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # It has ended meanwhile.
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found.extend(children.get(member, []))
    return found


@dataclass
class Sample:
    """What one repetition of one case came to. `case` and `system` name it; `size` is its number of agents or turns.

    `cpu_ms` is CPU per unit of work by part (server, worker, client, database), in milliseconds; `facts` is whatever
    else was counted, such as bytes and events.
    """

    case: str
    system: str
    size: int
    count: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list[float])
    cpu_ms: dict[str, float] = field(default_factory=dict[str, float])
    facts: dict[str, float] = field(default_factory=dict[str, float])


@contextmanager
def measured(sample: Sample, parts: Mapping[str, Iterable[int]]) -> Generator[Sample]:
    """Measure the block: its seconds, and the CPU of the processes of each part for each of `sample.count` units.

    A process counts with its descendants, the calling process alone: it may be the parent of the others. `count` may
    be set inside the block.
    """
    roots = {part: list(pids) for part, pids in parts.items()}
    before = {part: _cpu_seconds(pids) for part, pids in roots.items()}
    begin = time.perf_counter()
    yield sample
    sample.seconds = time.perf_counter() - begin
    for part, pids in roots.items():
        sample.cpu_ms[part] = (_cpu_seconds(pids) - before[part]) * 1000 / max(sample.count, 1)


def _cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time that processes and their descendants have used."""
    own = time.process_time() if os.getpid() in pids else 0.0
    return own + sum(cpu_seconds(member) for pid in pids if pid != os.getpid() for member in family(pid))


def tell(sample: Sample) -> None:
    """Write a sample as one line of JSON to standard output, where the runner reads it."""
    sys.stdout.write(json.dumps(asdict(sample)) + "\n")
    sys.stdout.flush()
