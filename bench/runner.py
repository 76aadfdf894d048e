"""One run of the benchmark: every case, round by round, with every system in turn."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.case import Case
from bench.measure import Sample
from bench.peer import Peer, PeerFailed, PeerUnavailable
from bench.place import fresh_place
from bench.results import p50, per_second
from bench.servers import Postgres, running_postgres

_QUICK_REPETITIONS = 2

Report = Callable[[str], None]


@dataclass
class Outcome:
    """What came of one case. `missing` says why a system is not among the samples, or not in every round."""

    case: str
    repetitions: int
    samples: list[Sample] = field(default_factory=list[Sample])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    seconds: float = 0.0


class Runner:
    """Runs cases.

    Args:
        systems: Names of those that take part; empty: all.
        repetitions: How often each case is repeated; None: as it says itself.
        report: Takes the progress, a line at a time.
    """

    def __init__(
        self, systems: Sequence[str], peers: Sequence[Peer], repetitions: int | None, *, quick: bool, report: Report
    ) -> None:
        self._systems = systems
        self._peers = [peer for peer in peers if not systems or peer.name in systems]
        self._repetitions = repetitions
        self._quick = quick
        self._report = report
        self._unavailable: dict[str, str] = {}
        self._postgres: Postgres | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Runner:
        """Install the peers, and start what they share."""
        for peer in self._peers:
            self._report(f"installing {peer.name}: {', '.join(peer.dependencies)}")
            try:
                await peer.install()
            except PeerUnavailable as failure:
                self._unavailable[peer.name] = str(failure)
                self._report(f"{peer.name} {failure}")
        if self._peers:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="aos-bench-"))
            self._postgres = await self._stack.enter_async_context(running_postgres(Path(folder)))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self, case: Case) -> Outcome:
        """Return what came of a case. A system that fails is named, and tried again in the next round."""
        rounds, peer_rounds = (self._repetitions or self._shortened(wanted) for wanted in case.repetitions)
        outcome = Outcome(case.name, rounds)
        own = [name for name in case.systems if not self._systems or name in self._systems]
        peers = [peer.name for peer in self._peers] if case.peers(self._quick) else []
        begin = time.monotonic()
        for number in range(rounds):
            taking_part = [*own, *(peers if number < peer_rounds else [])]
            for place in range(len(taking_part)):
                system = taking_part[(place + number) % len(taking_part)]
                if reason := self._unavailable.get(system):
                    outcome.missing[system] = reason
                    continue
                self._report(f"{case.name}, round {number + 1} of {rounds}: {system}")
                await self._measure(case, system, outcome)
        outcome.seconds = time.monotonic() - begin
        return outcome

    def _shortened(self, repetitions: int) -> int:
        return min(_QUICK_REPETITIONS, max(1, repetitions // 2)) if self._quick else repetitions

    async def _measure(self, case: Case, system: str, outcome: Outcome) -> None:
        try:
            if system in case.systems:
                async with fresh_place() as place:
                    async for sample in case.run(place, system, quick=self._quick):
                        self._keep(sample, outcome)
            else:
                await self._measure_peer(case, next(peer for peer in self._peers if peer.name == system), outcome)
        except PeerFailed as failure:
            outcome.missing[system] = str(failure)
            if isinstance(failure, PeerUnavailable):
                self._unavailable[system] = str(failure)
            self._report(f"  {system}: {failure}")
        except Exception as error:  # noqa: BLE001 - a run of many minutes goes on without the one that fails
            outcome.missing[system] = f"{type(error).__name__}: {error}"
            self._report(f"  {system} failed: {outcome.missing[system]}")

    async def _measure_peer(self, case: Case, peer: Peer, outcome: Outcome) -> None:
        for run in case.peers(self._quick):
            if run.only and peer.name not in run.only:
                continue
            async with fresh_place() as place:
                servers = ["--address", place.server.address, "--server-pid", str(place.server.pid)]
                if self._postgres:
                    servers += ["--postgres", await self._postgres.fresh_database()]
                    servers += ["--postgres-pid", str(self._postgres.pid)]
                for sample in await peer.run(run, servers):
                    self._keep(sample, outcome)

    def _keep(self, sample: Sample, outcome: Outcome) -> None:
        outcome.samples.append(replace(sample, case=outcome.case))  # A peer may run another case's turns for it.
        self._report("  " + in_words(sample))


def in_words(sample: Sample) -> str:
    """Return the main numbers of a sample, in a line."""
    parts = [f"{sample.system} {sample.size}:"]
    if rate := per_second(sample):
        parts.append(f"{rate:.1f}/s")
    if (latency := p50(sample)) is not None:
        parts.append(f"p50 {latency:.1f} ms")
    parts += [f"{part} {milliseconds:.1f} ms CPU" for part, milliseconds in sample.cpu_ms.items()]
    parts += [f"{name} {value:.4g}" for name, value in sample.facts.items()]
    return " ".join(parts)
