"""How long an agent is silent when its worker is killed or replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aos.message import Message
from bench.agents import Agents
from bench.measure import MESSAGE, Sample
from bench.place import Place
from bench.processes import Program
from bench.results import Target, fact, median, p50

ABOUT = (
    "The worker of an agent that has taken so many turns (the size) ends and is started again at once, and somebody "
    "asks. The time is from the end to the reply: killed with SIGKILL while the agent rests; drained with SIGTERM; "
    "killed at work, at moments spread over a turn; and killed while the model answers, which answers at once the next "
    "time. `start_s` is the start of the worker process, `rest_s` what comes after it."
)
SYSTEMS = ("floor", "aos")
REPETITIONS = 3

_TURNS = {True: {"floor": (10,), "aos": (10, 1_000)}, False: {"floor": (10, 1_000), "aos": (10, 1_000, 5_000)}}
"""Sizes by quick run and system."""
_TRIALS = 3
_TURN_MS = 24
"""About how long a turn takes."""
_PORTION = 200
_PAUSE = 0.05
_KILLED_MS, _DRAINED_S = 1_500, 0.5


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Let an agent grow old, and end its worker at each age."""
    async with place.running(system, agents=1) as agents:
        turns = 1
        for size in _TURNS[quick][system]:
            await _take_turns(place, agents, system, size - turns)
            killed, drained = Sample("recovery", system, size), Sample("recovery", f"{system} drained", size)
            for _ in range(_TRIALS):
                await _kill_at_rest(agents, killed)
                await _drain(agents, drained)
            yield killed
            yield drained
            turns = size + 2 * _TRIALS
        if system == "aos":
            at_work = Sample("recovery", "aos at work", 0)
            for moment in range(2 * _TRIALS):
                await _kill_at_work(agents, at_work, _TURN_MS / 1000 * moment / (2 * _TRIALS))
            yield at_work
    if system == "aos":
        yield await _kill_while_thinking(place)


async def _take_turns(place: Place, agents: Agents, system: str, turns: int) -> None:
    """Have the agent take so many more turns."""
    (name,) = agents.names
    if system == "floor":
        for _ in range(turns):
            await agents.ask(name, MESSAGE)
        return
    handled = (await place.aos.status(name)).handled
    while turns > 0:
        portion = min(turns, _PORTION)
        await asyncio.gather(*(place.aos.send(name, MESSAGE) for _ in range(portion)))
        turns, handled = turns - portion, handled + portion
        while (await place.aos.status(name)).handled < handled:
            await asyncio.sleep(_PAUSE)


async def _kill_at_rest(agents: Agents, sample: Sample) -> None:
    begin = time.perf_counter()
    agents.worker.kill()
    await agents.worker.wait()
    asking = asyncio.create_task(agents.ask(agents.names[0], MESSAGE))
    await _start_and_note(agents.worker, asking, begin, sample)


async def _drain(agents: Agents, sample: Sample) -> None:
    """Note the time from the worker's end: until then it serves."""
    await agents.worker.stop()
    begin = time.perf_counter()
    asking = asyncio.create_task(agents.ask(agents.names[0], MESSAGE))
    await _start_and_note(agents.worker, asking, begin, sample)


async def _kill_at_work(agents: Agents, sample: Sample, into_the_turn: float) -> None:
    asking = asyncio.create_task(agents.ask(agents.names[0], MESSAGE))
    await asyncio.sleep(into_the_turn)
    begin = time.perf_counter()
    agents.worker.kill()
    await agents.worker.wait()
    await _start_and_note(agents.worker, asking, begin, sample)


async def _kill_while_thinking(place: Place) -> Sample:
    sample = Sample("recovery", "aos thinking", 0)
    arguments = [place.server.address, str(place.folder)]
    async with Program("bench.cases._waiting_worker", arguments, place.folder / "waiting.log") as worker:
        await place.aos.start({"name": "thinker", "purpose": "think"})
        for trial in range(_TRIALS):
            # The model answers when there is this file.
            answer = place.folder / f"answer-{trial}"
            asking = asyncio.create_task(place.aos.ask("thinker", Message(text=f"wait for {answer}")))
            while not answer.with_suffix(".reached").exists():
                await asyncio.sleep(_PAUSE)
            answer.touch()
            begin = time.perf_counter()
            worker.kill()
            await worker.wait()
            await _start_and_note(worker, asking, begin, sample)
    return sample


async def _start_and_note(worker: Program, asking: asyncio.Task[Any], begin: float, sample: Sample) -> None:
    """Start the worker again, and note when the reply came."""
    starting = time.perf_counter()
    await worker.start()
    serving = time.perf_counter()
    await asking
    replied = time.perf_counter()
    sample.latencies_ms.append((replied - begin) * 1000)
    for what, seconds in (("start_s", serving - starting), ("rest_s", replied - serving)):
        before = sample.facts.get(what, 0.0) * sample.count
        sample.facts[what] = (before + seconds) / (sample.count + 1)
    sample.count += 1
    sample.facts["longest_s"] = max(sample.latencies_ms) / 1000


def targets(samples: Sequence[Sample]) -> list[Target]:
    """From the kill to the reply, at every age; a drained worker's successor has only to catch up."""
    ages = sorted({sample.size for sample in samples if sample.system == "aos"})
    return [
        *(
            Target(
                f"from SIGKILL to the first reply, after {age:,} turns",
                median(samples, "aos", age, p50),
                at_most=_KILLED_MS,
                unit="ms",
            )
            for age in ages
        ),
        *(
            Target(
                f"from a drained worker's successor to the first reply, after {age:,} turns",
                median(samples, "aos drained", age, fact("rest_s")),
                at_most=_DRAINED_S,
                unit="s",
            )
            for age in ages[-1:]
        ),
    ]
