"""What an agent does outside is done once, though its worker is killed between the effect and the word of it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType

from aos.message import Reply
from aos.views import AgentStatus
from faults.site import Site, running_site
from faults.worker import FATAL_PAYMENTS, HELD, PAYMENTS

_log = logging.getLogger(__name__)

BANKS = ("north", "east", "south", "west", "middle")
SPENDERS = 50
CALLS = SPENDERS * len(BANKS) * PAYMENTS
THINKERS = 100
SUMMED = 10
LONG = "word " * 1000


@pytest.mark.timeout(900)
async def test_500_tool_calls_whose_worker_is_killed_after_their_effect_have_500_single_effects(
    tmp_path: Path, long_form: bool
) -> None:
    rounds = 10 if long_form else 1
    calls, kills = rounds * CALLS, list[int]()
    async with running_site(tmp_path) as site:
        banks = [site.worker(agents=False, banks=(name,)) for name in BANKS]
        await asyncio.gather(site.started(), *(bank.start() for bank in banks))
        names = [f"spender-{number}" for number in range(SPENDERS)]
        tools = [f"{name}/pay-{name}" for name in BANKS]
        await _start_agents(site, names, "told:spend", tools=tools)
        for name in names:
            # A bank that dies while it tells one of its tools keeps that agent from its start for half a minute.
            await site.engine.until(lambda name=name: site.client.status(name), _is_ready)
        keepers = [asyncio.create_task(bank.keep(kills)) for bank in banks]
        for number in range(rounds):
            replies = await asyncio.gather(*(site.client.ask(name, str(number)) for name in names))
            assert {reply.text for reply in replies} == {f"{len(tools) * PAYMENTS} payments"}
            _log.info("%d calls interrupted by %d kills", (number + 1) * CALLS, len(kills))
        for keeper in keepers:
            keeper.cancel()
        visits = site.outside.visits("payment")
        attempts = await _attempts(site, names, "run_tool")
        paid = {about for _, about in site.outside.told("payment")}
    assert kills == [-signal.SIGKILL] * (calls // FATAL_PAYMENTS)
    assert attempts.total() == calls
    assert min(attempts) == 2, "each call was interrupted between its effect and its end"
    assert site.outside.effects("payment") == len(paid) == calls, "no two calls share a key"
    assert len(visits) == calls
    assert min(visits.values()) == 2, "each was made again under the key that it had before"


@pytest.mark.timeout(900)
async def test_a_step_interrupted_after_the_model_call_has_its_key_again_and_one_that_was_stored_is_not_paid_again(
    tmp_path: Path, long_form: bool
) -> None:
    rounds, half = 5 if long_form else 1, THINKERS // 2
    names = [f"thinker-{number}" for number in range(THINKERS)]
    asked, kept = names[:half], names[half:]
    async with running_site(tmp_path) as site:
        worker = await site.started()
        await asyncio.gather(_start_agents(site, asked, "told:held"), _start_agents(site, kept, "told:stored"))
        for number in range(rounds):
            replies = asyncio.gather(*(site.client.ask(name, f"hold {name} {number}") for name in names))
            await _until(site, "saved", (number + 1) * half, replies)
            await _until(site, "thought", number * half * 3 + THINKERS, replies)
            await worker.kill()
            await worker.start()
            texts = [reply.text for reply in await replies]
            assert texts[:half] == [f"done: hold {name} {number}" for name in asked]
            assert set(texts[half:]) == {HELD}
            _log.info("%d steps interrupted by %d kills", (number + 1) * THINKERS, number + 1)
        attempts = await _attempts(site, names, "think")
        visits = Counter(site.outside.visits("thought").values())
    assert attempts == Counter({2: rounds * THINKERS}), "each step was interrupted once"
    assert site.outside.effects("thought") == rounds * THINKERS
    assert visits == Counter({2: rounds * half, 1: rounds * half}), "what was stored was not asked for again"


async def test_a_summary_whose_worker_is_killed_after_it_was_stored_is_not_paid_again(tmp_path: Path) -> None:
    names = [f"writer-{number}" for number in range(SUMMED)]
    async with running_site(tmp_path) as site:
        worker = await site.started()
        await _start_agents(site, names, "told:summed", context_tokens=1000)
        await asyncio.gather(*(site.client.ask(name, LONG) for name in names))
        replies = asyncio.gather(*(site.client.ask(name, f"hello {name}") for name in names))
        await _until(site, "saved", SUMMED, replies)
        await worker.kill()
        await worker.start()
        assert [reply.text for reply in await replies] == [f"done: hello {name}" for name in names]
        attempts = await _attempts(site, names, "compact")
        visits = Counter(site.outside.visits("summary").values())
    assert attempts == Counter({2: SUMMED}), "each summary was interrupted once"
    assert visits == Counter({1: SUMMED}), "and asked for once"


async def _start_agents(site: Site, names: Iterable[str], model: str, **spec: object) -> None:
    await asyncio.gather(*(site.client.start({"name": name, "model": model, **spec}) for name in names))


def _is_ready(status: AgentStatus) -> bool:
    return status.condition != "starting"


async def _until(site: Site, kind: str, visits: int, replies: asyncio.Future[list[Reply]]) -> None:
    """Return once so many visits were made, which is when every call is held."""
    while len(site.outside.told(kind)) < visits:
        assert not replies.done(), replies.result()
        await asyncio.sleep(0.05)
    assert len(site.outside.told(kind)) == visits


async def _attempts(site: Site, names: Iterable[str], activity: str) -> Counter[int]:
    """Return how many activities of a type were done at which attempt, in the whole lives of agents."""
    found: Counter[int] = Counter()
    for name in names:
        for run in await site.engine.runs(name):
            events = await site.engine.events(name, run)
            types = {
                event.event_id: event.activity_task_scheduled_event_attributes.activity_type.name
                for event in events
                if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
            }
            started = [event.activity_task_started_event_attributes for event in events]
            found.update(begun.attempt for begun in started if types.get(begun.scheduled_event_id) == activity)
    return found
