"""How many replies of its members a second one team takes in, when all of them answer at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from temporalio.api.enums.v1 import EventType

from aos.message import Message, Reply
from aos.names import AGENT_WORKFLOW
from bench.agents import at_once
from bench.cases._runs import runs_of, written
from bench.floor.team import Family, Parent, Words
from bench.floor.workflows import TASK_QUEUE
from bench.measure import MESSAGE, REPLY, Sample, measured
from bench.place import Place
from bench.results import Target, cpu, median, per_second, ratio
from bench.teams import running_teams

ABOUT = (
    "Replies to one team whose broadcast is under way, until all are taken in. Temporal's own client signals them, for "
    "members that take questions and never answer by themselves. The floor is a parent workflow that keeps what it is "
    "signalled."
)
SYSTEMS = ("floor", "aos")
REPETITIONS = 3

_SIZE, _QUICK_SIZE = 1_000, 300
_ROUNDS, _QUICK_ROUNDS = 2, 1
_SENDERS = 16
_PAUSE, _LONG_PAUSE = 0.02, 1.0
_MUTE = 25
"""Workflows that stand for the members. No worker serves them."""

_AT_LEAST, _SHARE = 500, 0.9


@dataclass(frozen=True)
class _Receiver:
    """What is replied to: its workflow, how one reply is signalled, how many were taken in."""

    workflow_id: str
    signal: Callable[[str], Coroutine[Any, Any, object]]
    taken: Callable[[], Awaitable[int]]
    begin: Callable[[], Awaitable[list[str]]]
    """Asks all members, and returns the ids of the questions."""


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Ask all members, reply for them, and begin again."""
    size = _QUICK_SIZE if quick else _SIZE
    async with running_teams(place, system) as teams:
        receiver = await (_parent if system == "floor" else _team)(place, size)
        for _ in range(_QUICK_ROUNDS if quick else _ROUNDS):
            ids = await receiver.begin()
            goal = await receiver.taken() + size
            before = await written(place.temporal, receiver.workflow_id)
            sample = Sample("replies", system, size, count=size)
            with measured(sample, teams.parts):
                await at_once(ids, receiver.signal, _SENDERS)
                while await receiver.taken() < goal:
                    await asyncio.sleep(_PAUSE)
            sample.facts = (await written(place.temporal, receiver.workflow_id)).since(before, size)
            yield sample


async def _parent(place: Place, size: int) -> _Receiver:
    handle = await place.temporal.start_workflow(Parent.run, Family([]), id="parent", task_queue=TASK_QUEUE)

    async def begin() -> list[str]:
        return [f"question-{uuid4().hex}" for _ in range(size)]

    async def taken() -> int:
        return await handle.query(Parent.taken)

    return _Receiver(handle.id, lambda asked: handle.signal(Parent.reply, Words(asked, REPLY)), taken, begin)


async def _team(place: Place, size: int) -> _Receiver:
    mute = [f"agent/mute-{number}" for number in range(_MUTE)]
    for address in mute:
        await place.temporal.start_workflow(AGENT_WORKFLOW, id=address, task_queue="nobody")
    members = [{"name": f"member-{number}", "address": mute[number % _MUTE]} for number in range(size)]
    await place.aos.teams.start(
        {"name": "all", "members": members, "strategy": {"type": "broadcast"}, "max_turns": size}
    )
    handle = place.aos.temporal.get_workflow_handle("team/all")
    asked: set[str] = set()

    async def begin() -> list[str]:
        await place.aos.send("team/all", Message(text=MESSAGE))
        while len(new := await _questions(place, handle.id) - asked) < size:
            await asyncio.sleep(_LONG_PAUSE)
        asked.update(new)
        return sorted(new)

    async def taken() -> int:
        # Each task counts as a message of itself.
        return sum(task.messages - 1 for task in (await place.aos.teams.tasks("all")).tasks)

    return _Receiver(
        handle.id, lambda asked: handle.signal("reply", Reply(id=asked, status="done", text=REPLY)), taken, begin
    )


async def _questions(place: Place, workflow_id: str) -> set[str]:
    """Return the ids of the messages that a workflow has sent to others."""
    kind = EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
    return {
        json.loads(payload.data)["id"]
        for run in await runs_of(place.temporal, workflow_id)
        for event in run.events
        if event.event_type == kind
        for payload in event.signal_external_workflow_execution_initiated_event_attributes.input.payloads
    }


def _worker_allows(sample: Sample) -> float | None:
    """How many replies a second the CPU of one worker would suffice for, whatever the server takes in."""
    spent = cpu("worker")(sample)
    return 1000 / spent if spent else None


def targets(samples: Sequence[Sample]) -> list[Target]:
    """Replies a second: as they came, as a share of the floor's, and as many as the team itself could take in."""
    size = max((sample.size for sample in samples if sample.system == "aos"), default=_SIZE)
    return [
        Target("replies a second that a team takes in", median(samples, "aos", size, per_second), at_least=_AT_LEAST),
        Target(
            "the same, as a share of the floor's", ratio(samples, "aos", "floor", size, per_second), at_least=_SHARE
        ),
        Target(
            "replies a second that a core of a worker suffices for",
            median(samples, "aos", size, _worker_allows),
            at_least=_AT_LEAST,
        ),
    ]
