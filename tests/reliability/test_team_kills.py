"""What comes of a team's tasks is the same whatever is killed while they go on."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause

from aos.errors import Unreachable
from aos.message import Message
from faults.relay import LETTERS, PLAYS
from faults.site import Site, WorkerProcess, running_site

_log = logging.getLogger(__name__)

TASKS, KILLS = 25, 5
LONG_TASKS, LONG_KILLS = 500, 100

AT_ONCE = 25
"""Tasks under way at a time."""

_LATE = 0.4
"""Most seconds that a kill comes later than its turn, so that it finds the worker in the middle of anything."""


@pytest.mark.timeout(3600)
async def test_every_task_of_teams_whose_worker_is_killed_ends_as_if_nothing_had_happened(
    tmp_path: Path, seed: int, long_form: bool
) -> None:
    tasks, kills = (LONG_TASKS, LONG_KILLS) if long_form else (TASKS, KILLS)
    each = tasks // len(PLAYS)
    turns = each * sum(play.turns for play in PLAYS)
    async with running_site(tmp_path) as site:
        worker = await site.started()
        await asyncio.gather(*(site.client.teams.start(play.team(play.name)) for play in PLAYS))
        killing = asyncio.create_task(_kill(site, worker, kills, turns // (kills + 1), Random(seed)))
        gate = asyncio.Semaphore(AT_ONCE)
        try:
            found = await asyncio.gather(
                *(_ask(site, gate, play.name, f"t{number}") for number in range(each) for play in PLAYS)
            )
            codes = await killing
        finally:
            killing.cancel()
        assert codes == [-signal.SIGKILL] * kills
        wanted = [play.result(f"t{number}") for number in range(each) for play in PLAYS]
        assert list(found) == wanted, f"seed {seed}"
        _check_turns(site.outside.told("thought"), turns)
        for play in PLAYS:
            status = await site.client.teams.status(play.name)
            assert (status.tasks_done, status.tasks_failed, status.tasks_open) == (each, 0, 0)
            assert status.dead_letters == 0
            assert {member.condition for member in status.members} == {"ready"}
        assert await _failures(site) == []


async def _ask(site: Site, gate: asyncio.Semaphore, team: str, task: str) -> str:
    """Return what comes of a task. Whoever is told that nothing answered for a minute asks for the same once more."""
    async with gate:
        while True:
            with suppress(Unreachable):
                return (await site.client.ask(f"team/{team}", Message(text=f"{task}:", id=task))).text


async def _kill(site: Site, worker: WorkerProcess, kills: int, every: int, chance: Random) -> list[int]:
    """Kill the worker each time that so many turns were begun, and start it again; return its exit codes."""
    codes: list[int] = []
    for number in range(1, kills + 1):
        while len(site.outside.told("thought")) < number * every:
            await asyncio.sleep(0.02)
        await asyncio.sleep(chance.random() * _LATE)
        await worker.kill()
        codes.append(await worker.gone())
        await worker.start()
        _log.info("%d kills, %d turns begun", number, len(site.outside.told("thought")))
    return codes


def _check_turns(thoughts: Sequence[tuple[str, str]], turns: int) -> None:
    """Check that each turn was thought about under one key, and that no key had two questions."""
    keys: dict[str, set[str]] = defaultdict(set)
    for key, about in thoughts:
        keys[key].add(about)
    assert all(len(abouts) == 1 for abouts in keys.values())
    assert len(keys) == turns, "no turn is missing, none was taken twice"


async def _failures(site: Site) -> list[str]:
    """Return why workflow tasks of the teams and their members failed; that a worker is gone is no failure."""
    ids = [f"team/{play.name}" for play in PLAYS] + ["team/nested.desk"]
    ids += [f"agent/{play.name}.{letter}" for play in PLAYS[:-1] for letter in LETTERS]
    ids += ["agent/nested.a", "agent/nested.desk.b", "agent/nested.desk.c"]
    found: list[str] = []
    for one in ids:
        handle = site.client.temporal.get_workflow_handle(one)
        async for event in handle.fetch_history_events():
            if event.event_type != EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                continue
            failed = event.workflow_task_failed_event_attributes
            if failed.cause != WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND:
                found.append(f"{one}: {failed.failure.message}")
    return found
