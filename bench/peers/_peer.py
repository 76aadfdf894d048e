"""What the peers share: their arguments, the cases, and the processes they start. Standard library only."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Protocol

from measure import MESSAGE, REPLY, Sample, measured, tell
from peers._team import TeamPeer, measure_team

WARM_UP = 3
"""Turns of each agent before the measuring begins; the flat case makes ten times as many with an agent of its own."""

JOINING = 5
"""Agents started at once: a workflow's sandbox takes long to make, and its first task must not time out."""

FLAT_SECONDS = 90.0
FLAT_SIZES = (10, 100, 1000, 10_000)
"""The turns around which the flat case measures."""

BLOCK = 30
"""Turns measured together: 1 to 25, 26 to 55, 56 to 85, 86 to 115 and so on, around 10, 40, 70, 100."""

REPLY_SECONDS = 30.0
"""A conversation alone on the machine that takes longer for a turn has come to its end."""


class Unavailable(Exception):
    """The peer cannot be installed or started; the text says why."""


class Peer(Protocol):
    """A system that runs."""

    own: str
    """What this process is: `client`, or `worker` where it runs the agents too."""

    parts: dict[str, list[int]]
    """The other processes whose CPU counts."""

    durable: bool

    async def start(self, names: Sequence[str]) -> None:
        """Start agents."""
        ...

    async def ask(self, name: str, text: str) -> str:
        """Make one turn with an agent and return its reply."""
        ...

    async def weigh(self, names: Sequence[str]) -> dict[str, float]:
        """Return what was written so far, such as `bytes` and `events`; the facts tell it per turn."""
        ...


def main(system: str, opened: Callable[[argparse.Namespace], AbstractAsyncContextManager[Peer]]) -> None:
    """Run a peer as its arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", choices=("turns", "flat", "team"), required=True)
    parser.add_argument("--agents", type=int, default=1)
    parser.add_argument(
        "--turns", type=int, required=True, help="of each agent; flat, team: the last turn to measure around"
    )
    parser.add_argument("--address", help="host and port of a Temporal server")
    parser.add_argument("--server-pid", type=int, help="its process")
    parser.add_argument("--postgres", help="DSN of an empty database")
    parser.add_argument("--postgres-pid", type=int, help="the process of its postmaster")
    arguments = parser.parse_args()
    try:
        asyncio.run(_run(system, opened, arguments))
    except Unavailable as reason:
        sys.stderr.write(f"{reason}\n")
        sys.exit(3)


async def _run(
    system: str,
    opened: Callable[[argparse.Namespace], AbstractAsyncContextManager[Peer]],
    arguments: argparse.Namespace,
) -> None:
    async with AsyncExitStack() as stack:
        try:
            peer = await stack.enter_async_context(opened(arguments))
        except Unavailable:
            raise
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            raise Unavailable(f"cannot be started: {type(error).__name__}: {reason}") from error
        if arguments.case == "team":
            if not isinstance(peer, TeamPeer):
                sys.exit(4)
            await measure_team(system, peer, arguments.turns)
        elif arguments.case == "turns":
            await _turns(system, peer, arguments.agents, arguments.turns)
        else:
            await _flat(system, peer, arguments.turns)


async def _turns(system: str, peer: Peer, agents: int, turns: int) -> None:
    names = [f"agent-{number}" for number in range(agents)]
    for begin in range(0, agents, JOINING):
        joining = names[begin : begin + JOINING]
        await peer.start(joining)
        await asyncio.gather(*(peer.ask(name, MESSAGE) for name in joining))
    for _ in range(WARM_UP - 1):
        await asyncio.gather(*(peer.ask(name, MESSAGE) for name in names))
    sample = Sample("turns", system, agents, count=agents * turns)
    await _measure(peer, sample, names, turns, limit=None)
    tell(sample)


async def _flat(system: str, peer: Peer, last: int) -> None:
    await peer.start(["warm", "flat"])
    for _ in range(10 * WARM_UP):
        await peer.ask("warm", MESSAGE)
    wanted = [size for size in FLAT_SIZES if size <= last]
    give_up = time.monotonic() + FLAT_SECONDS
    centre, done, told = FLAT_SIZES[0], 0, True
    sample = Sample("flat", system, 0)
    while wanted:
        turns = centre + BLOCK // 2 - done
        measuring = Sample("flat", system, centre, count=turns)
        try:
            await _measure(peer, measuring, ["flat"], turns, limit=REPLY_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever a peer raises, its conversation has come to an end
            sys.stderr.write(f"turn {done + len(measuring.latencies_ms) + 1}: {type(error).__name__}: {error}\n")
            sample.facts["error_turn"] = done + len(measuring.latencies_ms) + 1
            break
        sample, done, told = measuring, done + turns, centre in wanted
        sample.facts["last_turn"] = done
        if told:
            wanted.remove(centre)
            tell(sample)
        if time.monotonic() > give_up:
            break
        centre += BLOCK
    if sample.count and (not told or "error_turn" in sample.facts):
        tell(sample)


async def _measure(peer: Peer, sample: Sample, names: Sequence[str], turns: int, limit: float | None) -> None:
    async def talk(name: str) -> None:
        for _ in range(turns):
            begin = time.perf_counter()
            reply = await asyncio.wait_for(peer.ask(name, MESSAGE), limit)
            sample.latencies_ms.append((time.perf_counter() - begin) * 1000)
            if reply != REPLY:
                raise RuntimeError(f"{name} replied {reply!r}")

    before = await peer.weigh(names)
    with measured(sample, {**peer.parts, peer.own: [os.getpid()]}):
        await asyncio.gather(*(talk(name) for name in names))
    after = await peer.weigh(names)
    sample.facts |= {what: (after[what] - before[what]) / sample.count for what in after}
    sample.facts["durable"] = float(peer.durable)


class Program:
    """A process that is killed when this one ends, however it ends. What it prints goes to standard error."""

    def __init__(self, *command: str | Path, cwd: Path | None = None) -> None:
        # `cat` ends when this process has closed its end of the pipe, or has ended itself.
        script = '"$@" </dev/null & cat >/dev/null; kill -KILL $! 2>/dev/null; wait 2>/dev/null'
        arguments = ["sh", "-c", script, "sh", *(str(word) for word in command)]
        self._shell = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=sys.stderr, cwd=cwd)
        self.pid = self._shell.pid

    def stop(self) -> None:
        """Kill it, and return when it has ended."""
        self._shell.communicate()
