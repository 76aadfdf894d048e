"""A topic with very many subscribers brings each publication to every one of them, once."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from temporalio.client import Client

from aos.message import Message
from aos.topic import MOST_HELD, TopicStatus
from aos.topics import Topics
from faults.site import running_site

T = TypeVar("T")

_log = logging.getLogger(__name__)

NOBODY = "nobody"
"""A task queue without a worker: what is signalled to a workflow there stays in its history as it came."""

MIB = 1024 * 1024
WORKER_MIB = 600
"""What a worker may take that has a topic of this size in its cache."""

_STARTED_AT_ONCE = 30
_PLACED = 100
_PAUSE = 0.3


@dataclass(frozen=True)
class Size:
    """How many subscribers there are, how many of them one workflow serves, and how much is published."""

    subscribers: int
    branch: int
    publications: int
    seconds: float


SHORT = Size(subscribers=120, branch=30, publications=2, seconds=30)
LONG = Size(subscribers=5_000, branch=MOST_HELD, publications=2, seconds=600)


@pytest.mark.timeout(1800)
async def test_every_subscriber_of_a_crowded_topic_gets_each_publication_once_and_in_order(
    tmp_path: Path, long_form: bool
) -> None:
    size = LONG if long_form else SHORT
    listeners = [f"agent/listener-{number}" for number in range(size.subscribers)]
    ids = [f"publication-{number}" for number in range(size.publications)]
    async with running_site(tmp_path) as site:
        worker = await site.started()
        temporal, topics = site.client.temporal, site.client.topics
        await topics.start({"name": "ships", "branch": size.branch})

        began = time.monotonic()
        await _side_by_side(_STARTED_AT_ONCE, [lambda one=one: _listen(temporal, one) for one in listeners])
        _log.info("%d subscribers were there after %.1f s", size.subscribers, time.monotonic() - began)
        began = time.monotonic()
        for at in range(0, size.subscribers, _PLACED):
            # As a topic hands its subscribers on to its branches: one by one they take minutes.
            placed = [{"subscriber": one} for one in listeners[at : at + _PLACED]]
            await temporal.get_workflow_handle("topic/ships").signal("place", {"subscriptions": placed})
        await _until(topics, lambda status: status.subscribers == size.subscribers, size.seconds)
        _log.info("all had subscribed after %.1f s", time.monotonic() - began)

        for number, each in enumerate(ids, start=1):
            began = time.monotonic()
            await topics.publish("ships", Message(text="The Corvina is in.", id=each))
            due = number * size.subscribers
            await _until(topics, lambda status, due=due: status.delivered >= due, size.seconds)
            _log.info("publication %d was with everybody after %.1f s", number, time.monotonic() - began)
        memory = psutil.Process(worker.pid).memory_info().rss / MIB
        _log.info("the worker takes %.0f MiB", memory)

        status = await topics.status("ships")
        subscribed = [one.subscriber for one in await topics.subscribers("ships")]
        heard = await _side_by_side(_STARTED_AT_ONCE, [lambda one=one: _heard(temporal, one) for one in listeners])
    assert (status.subscribers, status.dropped_count, status.dead_letters) == (size.subscribers, 0, 0)
    assert len(status.branches) > 1
    assert subscribed == sorted(listeners)
    assert heard == [ids] * size.subscribers
    assert memory < WORKER_MIB


async def _listen(temporal: Client, address: str) -> None:
    await temporal.start_workflow("Listener", id=address, task_queue=NOBODY)


async def _heard(temporal: Client, address: str) -> list[str]:
    """Return the ids of what was signalled to a workflow."""
    history = await temporal.get_workflow_handle(address).fetch_history()
    told = [event.workflow_execution_signaled_event_attributes for event in history.events]
    return [json.loads(signal.input.payloads[0].data)["id"] for signal in told if signal.signal_name == "send"]


async def _until(topics: Topics, holds: Callable[[TopicStatus], bool], seconds: float) -> None:
    """Return once the topic is so that it `holds`, with nothing on its way."""
    async with asyncio.timeout(seconds):
        while not (holds(status := await topics.status("ships")) and not status.waiting):
            # Each look is work for all the branches.
            await asyncio.sleep(_PAUSE)


async def _side_by_side(at_once: int, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    gate = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await call()

    return await asyncio.gather(*map(one, calls))
