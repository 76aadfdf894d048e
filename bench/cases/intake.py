"""How many messages a second one agent takes in, when many send to it at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aos.message import Message
from aos.names import agent_workflow_id
from bench.agents import Agents, at_once
from bench.cases._runs import written
from bench.floor.workflows import TASK_QUEUE, Drain
from bench.measure import Sample, measured
from bench.place import Place
from bench.results import Target, fact, median, per_second, ratio

ABOUT = (
    "Messages to one agent from many senders at once, until all are handled; the size is how many it may take in one "
    "turn. The floor is a workflow that gives all signals that wait to one activity. `aos signals` is sent to by "
    "Temporal's own client, as the floor is."
)
SYSTEMS = ("floor", "aos")

_SIGNALS = "aos signals"
_SENDERS = 16
_MESSAGES, _QUICK_MESSAGES = 2_000, 640
_WARM_UP = 160
_BATCH, _LONE = 100, 1
_PAUSE = 0.02
_SHARE, _EVENTS = 0.9, 4

Send = Callable[[str], Coroutine[Any, Any, object]]


@dataclass(frozen=True)
class _Receiver:
    """What messages are sent to: its workflow, how a text is sent, how many were handled."""

    workflow_id: str
    send: Send
    handled: Callable[[], Awaitable[int]]


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Send to one receiver after the other."""
    count = _QUICK_MESSAGES if quick else _MESSAGES
    async with place.running(system, agents=0) as agents:
        for (name, size), receiver in (await _receivers(place, agents, system)).items():
            await _deliver(receiver, range(_WARM_UP))
            before = await written(place.temporal, receiver.workflow_id)
            sample = Sample("intake", name, size, count=count)
            with measured(sample, agents.parts):
                await _deliver(receiver, range(_WARM_UP, _WARM_UP + count))
            sample.facts = (await written(place.temporal, receiver.workflow_id)).since(before, count)
            yield sample


async def _receivers(place: Place, agents: Agents, system: str) -> dict[tuple[str, int], _Receiver]:
    if system == "floor":
        return {(system, _BATCH): await _drain(place)}
    full, signalled = await agents.start(2, batch=_BATCH)
    (lone,) = await agents.start(1)
    return {
        (system, _BATCH): _sent_to(place, full),
        (_SIGNALS, _BATCH): _signalled(place, signalled),
        (system, _LONE): _sent_to(place, lone),
    }


async def _deliver(receiver: _Receiver, numbers: range) -> None:
    """Send messages, some at a time, and wait until all are handled."""
    goal = await receiver.handled() + len(numbers)
    await at_once([_text(number) for number in numbers], receiver.send, _SENDERS)
    while await receiver.handled() < goal:
        await asyncio.sleep(_PAUSE)


async def _drain(place: Place) -> _Receiver:
    handle = await place.temporal.start_workflow(Drain.run, id="drain", task_queue=TASK_QUEUE)

    async def handled() -> int:
        return await handle.query(Drain.handled)

    return _Receiver(handle.id, lambda text: handle.signal(Drain.send, text), handled)


def _sent_to(place: Place, name: str) -> _Receiver:
    async def handled() -> int:
        return (await place.aos.status(name)).handled

    return _Receiver(agent_workflow_id(name), lambda text: place.aos.send(name, text), handled)


def _signalled(place: Place, name: str) -> _Receiver:
    handle = place.aos.temporal.get_workflow_handle(agent_workflow_id(name))

    def send(text: str) -> Coroutine[Any, Any, object]:
        return handle.signal("send", Message(text=text, id=text))

    return replace(_sent_to(place, name), send=send)


def _text(number: int) -> str:
    return f"This is message number {number}."


def targets(samples: Sequence[Sample]) -> list[Target]:
    """Messages a second as a share of the floor's, and events of a message."""
    return [
        Target(
            "messages a second to one agent, as a share of the floor's",
            ratio(samples, "aos", "floor", _BATCH, per_second),
            at_least=_SHARE,
        ),
        Target(
            "the same, sent by Temporal's own client",
            ratio(samples, _SIGNALS, "floor", _BATCH, per_second),
            at_least=_SHARE,
        ),
        Target("events of a message under load", median(samples, "aos", _BATCH, fact("events")), at_most=_EVENTS),
    ]
