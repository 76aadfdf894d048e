"""The case of teams: one long task that three members work on in turn."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol, runtime_checkable

from measure import REPLY, Sample, measured, tell

MEMBERS = ("ada", "bob", "eve")

_SECONDS = 200.0
"""How long a task may go on."""

_SIZES = (10, 100, 1000)
_BLOCK = 30
_WARM_UP = 30


@runtime_checkable
class TeamPeer(Protocol):
    """A system that has teams."""

    own: str
    parts: dict[str, list[int]]
    durable: bool

    def discuss(self, name: str, turns: int) -> AsyncGenerator[str]:
        """Have the members of a new team take so many turns in one task, and yield what each says."""
        ...

    async def weigh_team(self, name: str) -> dict[str, float]:
        """Return what was written so far, such as `bytes`; the facts tell it per turn."""
        ...


async def measure_team(system: str, peer: TeamPeer, last: int) -> None:
    """Measure blocks of turns around turn 10, 100, and so on to `last`, or as far as the time suffices."""
    async with aclosing(peer.discuss("warm", _WARM_UP)) as said:
        async for _ in said:
            pass
    give_up = time.monotonic() + _SECONDS
    done = 0
    async with aclosing(peer.discuss("team", last + _BLOCK // 2)) as said:
        for size in (size for size in _SIZES if size <= last):
            begin = max(0, size - _BLOCK // 2)
            while done < begin:
                await _next(said)
                done += 1
                if time.monotonic() > give_up:
                    sys.stderr.write(f"the time was over at turn {done}\n")
                    return
            sample = Sample("teams", system, size, count=size + _BLOCK // 2 - done)
            before = await peer.weigh_team("team")
            with measured(sample, {**peer.parts, peer.own: [os.getpid()]}):
                for _ in range(sample.count):
                    started = time.perf_counter()
                    await _next(said)
                    sample.latencies_ms.append((time.perf_counter() - started) * 1000)
            done += sample.count
            after = await peer.weigh_team("team")
            sample.facts = {what: (after[what] - before[what]) / sample.count for what in after}
            sample.facts["durable"] = float(peer.durable)
            tell(sample)
        async for _ in said:  # Its task has no more turns: it ends by itself.
            pass


async def _next(said: AsyncGenerator[str]) -> None:
    text = await anext(said)
    if text != REPLY:
        raise RuntimeError(f"a member said {text!r}")
