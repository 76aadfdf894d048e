"""What is acknowledged is handled, once and in order, whatever breaks meanwhile."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from aos.client import AosClient
from chaos.checker import check, told
from chaos.disk import may_mount
from chaos.faults import Fault, Sizes, schedule
from chaos.histories import Life, life
from chaos.journal import Journal
from chaos.nemesis import Nemesis
from chaos.site import Site
from chaos.workload import Agent, Plan, Workload

_log = logging.getLogger(__name__)

EVENTS = 10_240
CONNECTIONS = 4
LANES = 8
PROGRESS_SECONDS = 5.0
QUIET_SECONDS = 45.0
"""Without one more message handled in this time, what is missing is taken for lost."""

AGENTS = [
    Agent("plain", rollover_events=300),
    *(Agent(f"batch-{number}", batch=10, rollover_events=150) for number in range(5)),
    *(Agent(f"tools-{number}", tools=True, batch=8, rollover_events=150) for number in range(2)),
]

SHORT = Sizes(messages=5_000, worker_kills=20, server_kills=5, kills_of_all=1, network=10, half_open=0, full_disks=2)
LONG = Sizes(
    messages=50_000, worker_kills=200, server_kills=50, kills_of_all=10, network=100, half_open=4, full_disks=20
)
ROLLOVERS_PER_MESSAGE = 60 / 5_000
LIMIT_SECONDS = 600.0
"""For 5,000 messages, however busy the machine."""


@pytest.mark.timeout(7_200)
async def test_every_message_is_handled_once_and_in_order_whatever_is_killed_cut_or_full(
    tmp_path: Path, long_form: bool, seed: int
) -> None:
    sizes = LONG if long_form else SHORT
    scale = sizes.messages // SHORT.messages
    if not await may_mount(tmp_path / "probe"):
        sizes = dataclasses.replace(sizes, full_disks=0)
    faults = schedule(random.Random(f"{seed}/faults"), sizes)
    site, journal = Site(tmp_path, disk_megabytes=400 * scale), Journal()
    lives: dict[str, Life] = {}
    nemesis = Nemesis(site, journal, random.Random(f"{seed}/nemesis"))
    try:
        async with site.open():
            observer = await site.observer()
            for agent in AGENTS:
                await observer.start(agent.spec)
            workload = Workload(await site.clients(CONNECTIONS), AGENTS, journal, seed)
            try:
                async with asyncio.timeout(LIMIT_SECONDS * scale), asyncio.TaskGroup() as run:
                    progress = run.create_task(_progress(site, journal))
                    breaking = run.create_task(nemesis.run(faults))
                    await workload.run(_plan(sizes.messages, scale))
                    await breaking
                    await _until_settled(site, journal)
                    progress.cancel()
            finally:
                lives = {agent.name: await life(observer.temporal, agent.name) for agent in AGENTS}
                _tell_of(lives, journal)
            _check(site, journal)
            assert len(journal.entries) >= sizes.messages
            await _check_agents(observer, journal, seed)
            assert not [failure for found in lives.values() for failure in found.failures]
            assert max(max(found.runs) for found in lives.values()) <= EVENTS
            assert sum(len(found.runs) - 1 for found in lives.values()) >= sizes.messages * ROLLOVERS_PER_MESSAGE
            assert site.keeper.killed >= sizes.worker_kills
            assert nemesis.server_kills >= sizes.server_kills
            assert not site.keeper.strange, f"workers ended by themselves with {site.keeper.strange}"
    except BaseException as error:
        error.add_note(_report(seed, long_form, faults, nemesis, journal))
        for name, found in lives.items():
            found.save(tmp_path / name)
        raise


async def test_a_disk_can_be_filled_here(tmp_path: Path) -> None:
    if not await may_mount(tmp_path / "disk"):
        pytest.skip("this process may not mount a file system: no disk was full in the chaos above")


async def test_a_disk_of_a_run_that_was_killed_is_taken_away_by_the_next(tmp_path: Path) -> None:
    if not await may_mount(tmp_path / "disk"):
        pytest.skip("this process may not mount a file system")
    killed = "async def f():\n async with Disk(Path(sys.argv[1]), 1).there(): os.kill(os.getpid(), 9)\n"
    program = (
        f"import asyncio, os, sys\nfrom pathlib import Path\nfrom chaos.disk import Disk\n{killed}asyncio.run(f())"
    )
    left = tmp_path / "left"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(left), env=environment)
    assert await process.wait() == -signal.SIGKILL
    assert left.is_mount()
    assert await may_mount(tmp_path / "disk")
    assert not left.is_mount()


def _plan(messages: int, scale: int) -> Plan:
    """Return a plan of as many messages, for the most part in lanes."""
    plan = Plan(lanes=LANES, lane=0, storms=10 * scale, storm=50, shuffles=10 * scale, shuffle=20)
    left = messages - plan.storms * plan.storm - plan.shuffles * plan.shuffle
    return dataclasses.replace(plan, lane=-(-left // (len(AGENTS) * plan.lanes)))


async def _progress(site: Site, journal: Journal) -> None:
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        entries = journal.entries.values()
        _log.info(
            "%.0f s: %d invoked, %d acknowledged, %d handled, %d kills of workers",
            journal.seconds,
            len(entries),
            sum(entry.acknowledged for entry in entries),
            site.effects.read(),
            site.keeper.killed,
        )


async def _until_settled(site: Site, journal: Journal) -> None:
    """Return when every message had its effect, or when nothing has come for long."""
    wanted = len(journal.entries), sum(entry.tool for entry in journal.entries.values())
    found, since = (0, 0), journal.seconds
    while found != wanted and journal.seconds - since < QUIET_SECONDS:
        before, found = found, (site.effects.read(), site.tool_effects.read())
        since = since if found == before else journal.seconds
        await asyncio.sleep(0.05)


def _check(site: Site, journal: Journal) -> None:
    entries = journal.entries
    breaches = check(entries, site.effects.seen)
    # The calls of one step run side by side, in no order.
    tools = {text: dataclasses.replace(entry, lane=None) for text, entry in entries.items() if entry.tool}
    tool_breaches = check(tools, site.tool_effects.seen, kind="tool call")
    assert not breaches, "\n".join(told(breaches, entries, site.effects.seen))
    assert not tool_breaches, "\n".join(told(tool_breaches, entries, site.tool_effects.seen))
    _log.info("%.0f s: checked", journal.seconds)


def _tell_of(lives: Mapping[str, Life], journal: Journal) -> None:
    for name, found in lives.items():
        _log.info("%s: %d rollovers, longest run %d events", name, len(found.runs) - 1, max(found.runs))
        _log.info("%s: %s", name, found.failures or "no workflow task failed")
    kinds = sum((found.kinds for found in lives.values()), Counter[str]())
    _log.info("%d ends of runs done again; events: %s", sum(found.done_again for found in lives.values()), dict(kinds))
    _log.info("%d asks, %d repeats, %d unknown", journal.asked, journal.repeats, journal.unknown)


async def _check_agents(client: AosClient, journal: Journal, seed: int) -> None:
    """Check that every agent answers, has handled as much as was sent to it, and has no dead letter."""
    for agent in AGENTS:
        reply = await client.ask(agent.name, f"still there, {seed}?")
        assert reply.text == f"done: still there, {seed}?"
        status = await client.status(agent.name)
        assert (status.dead_letters, status.failed) == (0, 0), (await client.dead_letters(agent.name)).letters
        sent = sum(entry.agent == agent.name for entry in journal.entries.values())
        assert (status.handled, status.waiting) == (sent + 1, 0)


def _report(seed: int, long_form: bool, faults: Sequence[Fault], nemesis: Nemesis, journal: Journal) -> str:
    lines = [f"seed {seed}; the same faults again: pytest {__file__} --seed {seed}" + (" --long" * long_form)]
    lines += ["the schedule, by messages handled:", *(f"  {fault}" for fault in faults)]
    lines += ["what of it came about:", *(f"  {done}" for done in nemesis.done)]
    open_ones = [entry for entry in journal.entries.values() if not entry.acknowledged]
    lines.append(f"{len(open_ones)} messages were not acknowledged, {journal.seconds:.3f} s after the begin:")
    lines += [f"  {entry.text}: {', '.join(entry.history)}" for entry in open_ones[:40]]
    return "\n".join(lines)
