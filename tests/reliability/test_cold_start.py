"""After everything was killed, agents go on by themselves as soon as server and workers are there again."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import pytest

from faults.site import Site, running_site

_log = logging.getLogger(__name__)

AGENTS = 20
WAITING = 3
BACK_SECONDS = 10.0
"""From the start of the server to the last agent at work. A model call that was lost is missed after five of them."""


@pytest.mark.timeout(120)
async def test_20_agents_are_back_at_work_soon_after_the_start_of_a_killed_server_and_worker(
    tmp_path: Path, long_form: bool
) -> None:
    names = [f"agent-{number}" for number in range(AGENTS)]
    async with running_site(tmp_path) as site:
        # How long an interpreter takes to import the product is for the benchmarks to tell, and for the long form.
        worker = site.worker(fresh=long_form)
        await worker.start()
        await asyncio.gather(*(site.client.start({"name": name, "model": "told:held"}) for name in names))
        asked = asyncio.gather(*(site.client.ask(name, f"hold {name}") for name in names))
        await _until_visited(site, AGENTS)
        await asyncio.gather(*(_send_waiting(site, name) for name in names))
        site.server.kill()
        await asyncio.gather(worker.kill(), site.server.wait())

        began = time.monotonic()
        await site.server.start()
        answering = time.monotonic() - began
        await worker.start()
        serving = time.monotonic() - began
        await _until_visited(site, 2 * AGENTS)
        back = time.monotonic() - began
        _log.info("the server answered after %.1f s, the worker served after %.1f s", answering, serving)
        _log.info("the last of %d agents was back at work after %.1f s", AGENTS, back)

        replies = await asked
        for name in names:
            await site.engine.until_handled(name, 1 + WAITING)
        thoughts = site.outside.told("thought")
    assert [reply.text for reply in replies] == [f"done: hold {name}" for name in names]
    for name in names:
        told = [text for _, text in thoughts if text.endswith(name)]
        assert told == [f"hold {name}"] * 2 + [f"mail {number} for {name}" for number in range(WAITING)]
    # In the short form other tests have a part of the machine.
    assert back <= BACK_SECONDS or not long_form, f"the last agent was back at work after {back:.1f} s"


async def _send_waiting(site: Site, name: str) -> None:
    for number in range(WAITING):
        await site.client.send(name, f"mail {number} for {name}")


async def _until_visited(site: Site, visits: int) -> None:
    """Return once every agent is at its step: so many held ones were begun, counting those begun again."""
    while sum(text.startswith("hold") for _, text in site.outside.told("thought")) < visits:
        await asyncio.sleep(0.02)
