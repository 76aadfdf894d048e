"""Brings what is in a topic's log to its readers: to each one thing after the other, to many side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError, is_cancelled_exception
from temporalio.workflow import ParentClosePolicy

from aos.control import Stop
from aos.limits import clip
from aos.message import Message
from aos.names import TOPIC_TASK_TIMEOUT, TOPIC_WORKFLOW
from aos.topic import Dropped, Unsubscribe
from aos_workflows.topic.log import Entry
from aos_workflows.topic.state import Placement, TopicState

AT_ONCE = 50
"""Signals on their way at a time. A server takes 2,000 of one workflow, but writes all that are open with each that
arrives: with 500 a fan-out takes twice as long, and queries wait for seconds."""

WAY_BYTES = 1024 * 1024
"""Bytes on their way at a time, or one thing that is larger: a worker's answer may have 4 MiB."""

LOOKS = 20_000
"""Looks at whether a reader wants something, in one step of the workflow: a tenth of a second."""

TRIES = 4
"""How often a signal is tried for which its reader has no room."""

LONGEST_PAUSE = 60.0

_IS_FULL = "signal limit"
"""What Temporal's reason has in it when a workflow's run takes no more signals. Otherwise it does not live."""

_MARGIN = 400


class Carrier:
    """The way out of a topic.

    Args:
        state: The topic.
        undelivered: Is told of a publication that a living subscriber could not be given, with the address and why.
    """

    def __init__(self, state: TopicState, undelivered: Callable[[Message, str, str], None]) -> None:
        self._state = state
        self._undelivered = undelivered
        self._ready = deque(state.log.behind)
        """Readers that may have something to get; some may be here twice, or in vain."""
        self._on_way: set[str] = set()
        self._bytes = 0
        self._bodies: dict[int, tuple[dict[str, Any], int]] = {}
        self._full: set[str] = set()
        self._news = True
        self._moment, self._looks = 0.0, 0
        self.holding = False
        """Nothing more is sent: what is on its way is waited for."""

    @property
    def quiet(self) -> bool:
        """Whether nothing is on its way."""
        return not self._on_way

    @property
    def idle(self) -> bool:
        """Whether everybody has got everything."""
        return self.quiet and not self._state.log.count

    @property
    def has_cause(self) -> bool:
        """Whether `pump` can do something."""
        return self._news and not self.holding

    def stir(self) -> None:
        """Say that something has changed that may be brought to readers."""
        self._news = True

    async def pump(self) -> None:
        """Deal what can be dealt, and begin to send what is wanted. It returns soon."""
        state, log = self._state, self._state.log
        if workflow.time() != self._moment:
            self._moment, self._looks = workflow.time(), 0
        self._news = False
        log.trim()
        while log.can_deal and not state.splitting and self._looks < LOOKS:
            readers = state.readers
            self._looks += len(state.subscribers) + len(state.branches) + 1
            self._ready += log.deal(readers, self._wants)
        self._begin()
        log.trim()
        self._bodies = {number: body for number, body in self._bodies.items() if number >= log.first}
        if log.can_deal and not state.splitting:
            self._news = True
            if self._looks >= LOOKS:
                # The rest is for another step of the workflow: a worker gives up one that takes two seconds.
                await workflow.sleep(0.001, summary="much to look through")

    def _wants(self, reader: str, entry: Entry) -> bool:
        return self._state.wants(reader, entry)

    def _begin(self) -> None:
        for _ in range(len(self._ready)):
            if len(self._on_way) >= AT_ONCE:
                return
            reader = self._ready.popleft()
            if reader in self._on_way:
                continue  # It comes back when that has arrived.
            if (found := self._state.log.next_for(reader, self._wants)) is None:
                continue
            number, entry = found
            body, size = self._body(number, entry)
            if self._on_way and self._bytes + size > WAY_BYTES:
                self._ready.appendleft(reader)
                return
            self._on_way.add(reader)
            self._bytes += size
            asyncio.create_task(self._carry(reader, found, body, size))  # noqa: RUF006 - the workflow's loop keeps it

    def _body(self, number: int, entry: Entry) -> tuple[dict[str, Any], int]:
        if (known := self._bodies.get(number)) is None:
            known = self._bodies[number] = _written(self._state, entry)
        return known

    async def _carry(self, reader: str, numbered: tuple[int, Entry], body: dict[str, Any], size: int) -> None:
        state, (number, entry) = self._state, numbered
        try:
            if reader in state.branches:
                await self._carry_to_branch(reader, _signal(entry), body)
            else:
                await self._deliver(reader, entry, {**body, "to": reader})
        finally:
            self._on_way.discard(reader)
            self._bytes -= size
        state.log.got(reader, number)
        self._ready.append(reader)
        self._news = True

    async def _deliver(self, reader: str, entry: Entry, body: JsonValue) -> None:
        assert entry.message
        pause, tries = 1.0, 1 if reader in self._full else TRIES
        while True:
            why = await _signalled(reader, "send", body)
            if not why:
                self._full.discard(reader)
                self._state.delivered += 1
                return
            if _IS_FULL not in why:
                self._state.drop(Dropped(subscriber=reader, at=_now(), why=clip(why, 200)))
                return
            tries -= 1
            if tries <= 0 or self.holding:
                break
            await workflow.sleep(pause, summary=f"{reader} has no room")
            pause *= 2
        self._full.add(reader)
        self._undelivered(entry.message, reader, why)

    async def _carry_to_branch(self, branch: str, signal: str, body: JsonValue) -> None:
        """Bring something to a branch, which is started where it is not there: what it had is lost, not the topic."""
        state, pause = self._state, 1.0
        while True:
            if not state.branches[branch] and signal != "stop":
                await self._start(branch)
            if not (why := await _signalled(branch, signal, body)):
                return
            if _IS_FULL not in why:
                if signal == "stop":
                    return  # It has ended already, or was never needed.
                state.branches[branch] = False
            await workflow.sleep(pause, summary=f"until {branch} is there")
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _start(self, branch: str) -> None:
        state = self._state
        # One that is there has outlived another life of the topic, and is taken in.
        with suppress(WorkflowAlreadyStartedError):
            handle = await workflow.start_child_workflow(
                TOPIC_WORKFLOW,
                state.branch_spec(branch).model_dump(mode="json"),
                id=branch,
                parent_close_policy=ParentClosePolicy.ABANDON,
                task_timeout=TOPIC_TASK_TIMEOUT,
                static_summary=clip(f"subscribers of the topic {state.topic}"),
            )
            handle.add_done_callback(_ended)
        state.branches[branch] = True


def _ended(branch: asyncio.Future[object]) -> None:
    """Take note of how a branch ended: signals tell it anyway, and asyncio warns of what nobody asks for."""
    if not branch.cancelled():
        branch.exception()


async def _signalled(to: str, signal: str, body: JsonValue) -> str:
    """Signal a workflow, and return why that could not be done, or nothing."""
    try:
        await workflow.get_external_workflow_handle(to).signal(signal, body)
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        return str(error) or "nobody is there"
    return ""


def _signal(entry: Entry) -> str:
    if entry.message:
        return "publish"
    if entry.stop:
        return "stop"
    return "remove" if entry.remove else "place"


def _written(state: TopicState, entry: Entry) -> tuple[dict[str, Any], int]:
    """Return what readers are signalled, and its size in bytes."""
    if message := entry.message:
        if not state.branches:
            message = message.model_copy(update={"kind": "publication", "topic": state.topic})
        body, size = message, len(message.model_dump_json().encode())
    else:
        if entry.stop:
            body = Stop(reason=entry.stop)
        else:
            body = Unsubscribe(subscriber=entry.remove) if entry.remove else Placement(subscriptions=entry.place)
        size = len(body.model_dump_json().encode())
    return body.model_dump(mode="json"), size + _MARGIN


def _now() -> datetime:
    return datetime.fromtimestamp(workflow.time(), UTC)
