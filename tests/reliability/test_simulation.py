"""Small worlds, each drawn from a seed, in which an agent meets every fault at every point.

The agent is the real workflow in the SDK's own workflow runtime, with AOS's own activities over a store in memory; only
Temporal's server and the network are simulated.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from typing import Any

import pytest
import structlog

from aos.conversation import ToolItem
from aos.message import Message, Reply
from aos_workflows.mailbox import Mailbox, SetAside
from aos_workflows.replies import ReplyBook
from aos_workflows.schedule import Schedule, Timer
from aos_workflows.seen import Seen, Verdict
from aos_workflows.state import AgentState
from aos_workflows.tool_calls import ToolCalls
from simulation.limits import forgetful
from simulation.store import MemoryStore
from simulation.truth import Broken
from simulation.world import World

SEEDS, EVENTS = 10_000, 1_000_000
BATCHES = 10
LONG = 10
"""How many times as much the long form does."""

FOUND = [150, 170, 20_262_180, 23_262_036]
"""Seeds that once failed, for a fault of the agent or of the simulation itself."""

_PER_WORLD, _PER_LONG_WORLD = 78, 260
_LONG_WORLDS = 21
"""One in how many worlds lives longer."""

_APART = 1_000_000
"""How far the seeds of two batches lie apart."""

_SAID_EVERY = 5.0

_log = logging.getLogger(__name__)


@pytest.fixture(autouse=True)
def _quiet() -> Generator[None]:
    """Models that fail on purpose are not worth a line each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    workflows = logging.getLogger("temporalio.workflow")
    workflows.setLevel(logging.CRITICAL)
    # Worlds are full of cycles and short: looking through what outlives them takes a tenth of the time.
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    workflows.setLevel(logging.NOTSET)
    structlog.reset_defaults()


def live(seed: int) -> int:
    """Let one world live, and return how much happened in it. In every fifth, an agent remembers little.

    Raises:
        AssertionError: An agent did what it must never do. It tells the seed, what happened last, and how to run it.
    """
    forgets = seed % 5 == 0
    world = World(seed, forgets=forgets)
    try:
        with forgetful() if forgets else nullcontext():
            world.live(_PER_WORLD if seed % _LONG_WORLDS else _PER_LONG_WORLD)
    except Exception as error:
        last = "\n  ".join(world.server.trace[-30:])
        again = f"pytest tests/reliability/test_simulation.py -k one_seed --seed {seed}"
        raise AssertionError(f"seed {seed}: {error}\nafter:\n  {last}\nrun it again: {again}") from error
    return world.server.events


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_fault_at_any_point_makes_an_agent_lose_or_repeat_anything(
    batch: int, seed: int, *, long_form: bool
) -> None:
    share = (LONG if long_form else 1) / BATCHES
    events, number, said, begun = 0, 0, time.monotonic(), time.process_time()
    while number < SEEDS * share or events < EVENTS * share:
        events += live(seed + _APART * batch + number)
        number += 1
        if time.monotonic() - said > _SAID_EVERY:
            said = time.monotonic()
            _log.info("batch %d: %d seeds, %d events", batch, number, events)
    spent = time.process_time() - begun
    _log.info("batch %d: %d seeds, %d events, none broken; %.1f s of CPU", batch, number, events, spent)


def test_one_seed_alone_can_be_run_again(seed: int) -> None:
    assert live(seed) == live(seed)


@pytest.mark.parametrize("found", FOUND)
def test_a_seed_that_once_failed_does_not_fail_now(found: int) -> None:
    live(found)


def _forgets_ids(seen: Seen, message: Message) -> Verdict:
    return "new"


def _loses_quiet_mail(state: AgentState, *given: Any, **named: Any) -> dict[str, Any]:
    data = _DUMP(state, *given, **named)
    data.get("mailbox", {}).pop("quiet", None)
    return data


_DUMP = AgentState.model_dump


def _drops_interruptions(book: ReplyBook, reply: Reply) -> None:
    if reply.status != "interrupted":
        _KEEP(book, reply)


_KEEP = ReplyBook.keep


def _loses_pages(mailbox: Mailbox, page: SetAside, entries: Sequence[Any]) -> None:
    _BRING_BACK(mailbox, page, list(entries)[1:])


_BRING_BACK = Mailbox.bring_back


def _repeats_timers(schedule: Schedule, now: float) -> list[Timer]:
    return [timer for timer in schedule.timers if timer.due <= now]


def _charges_nothing(state: AgentState, *given: Any) -> None:
    return


def _is_first_come_first_served(mailbox: Mailbox, envelope: Any) -> None:
    (mailbox.waiting if envelope.message.wake else mailbox.quiet).append(envelope)


async def _leaves_out_a_result(tools: ToolCalls, *given: Any) -> list[ToolItem]:
    return (await _RUN(tools, *given) or [])[1:]


_RUN = ToolCalls.run


async def _thinks_anew(store: MemoryStore, key: str) -> str | None:
    return None


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (Seen, "judge", _forgets_ids),
        (AgentState, "model_dump", _loses_quiet_mail),
        (ReplyBook, "keep", _drops_interruptions),
        (Mailbox, "bring_back", _loses_pages),
        (Mailbox, "_put", _is_first_come_first_served),
        (Schedule, "due_timers", _repeats_timers),
        (AgentState, "charge", _charges_nothing),
        (ToolCalls, "run", _leaves_out_a_result),
        (MemoryStore, "follow", _thinks_anew),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_a_broken_part_is_found_and_its_seed_finds_it_again(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, broken: Callable[..., Any]
) -> None:
    monkeypatch.setattr(owner, name, broken)
    found, told = _first_found()
    with pytest.raises(AssertionError) as again:
        live(found)
    assert str(again.value) == told
    assert f"--seed {found}" in told
    monkeypatch.undo()
    live(found)


def _first_found(worlds: int = 150) -> tuple[int, str]:
    for number in range(worlds):
        try:
            live(number)
        except AssertionError as error:
            if not isinstance(error.__cause__, Broken):
                raise
            return number, str(error)
    raise AssertionError(f"{worlds} worlds have not found it")
