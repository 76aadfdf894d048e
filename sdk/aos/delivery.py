"""Delivering messages once: numbers for each, short attempts, and replies that outlast rollovers and restarts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import random
from typing import Any
from uuid import uuid4

from temporalio.client import WorkflowHandle

from aos.connection import PATIENCE, NoAnswerYet, Passing, once, retrying
from aos.control import Lookup
from aos.errors import AosError, MessageFailed, NotAnswering, NoWorker, Unreachable
from aos.message import Message, Reply, Sequence

_ATTEMPT = timedelta(seconds=10)
_STREAM_REST = 60.0
"""Seconds of silence after which a client begins a new stream: an agent forgets streams that are long silent."""

_FIRST_POLL, _LONGEST_POLL = 0.02, 0.5

WAITING_ASKS = 6
"""Asks to one agent whose updates stay open; a server takes ten updates at a time from all clients together."""

SENDING = 64
"""Messages on their way to one agent at a time. An agent tells old numbers from new ones over 128 gaps."""

ACCEPTING_ASKS = 2
"""Asks to one agent beyond those that are being accepted at a time."""

UNSETTLED = 10_000
"""Messages of which a client remembers that nobody knows whether they came through."""


@dataclass(slots=True)
class _Stream:
    id: str = field(default_factory=lambda: uuid4().hex[:12])
    born: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    number: int = 0
    used: float = field(default_factory=time.monotonic)

    def next_place(self) -> Sequence:
        """Return the place of one more message."""
        self.number += 1
        self.used = time.monotonic()
        return Sequence(stream=self.id, born=self.born, number=self.number)


@dataclass(slots=True)
class _Gate:
    open: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WAITING_ASKS))
    sending: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SENDING))
    accepting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ACCEPTING_ASKS))


class Delivery:
    """What one client remembers of its dealings with agents."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._places: dict[tuple[str, str], Sequence] = {}
        """By recipient and id, the places of messages that are not known to have come through."""
        self._polls: dict[str, _Poll] = {}
        self._gates: dict[str, _Gate] = {}

    def _gate(self, name: str) -> _Gate:
        return self._gates.setdefault(name, _Gate())

    def _number(self, name: str, message: Message) -> Message:
        """Return `message` with its place in what this client sends to the agent called `name`.

        One that is sent again, because nobody knows what became of it, has the place that it had: by that an agent
        knows it long after it has forgotten its id.
        """
        if message.sequence:
            return message
        place = self._places.pop((name, message.id), None) or self._stream(name).next_place()
        self._places[name, message.id] = place
        if len(self._places) > UNSETTLED:
            del self._places[next(iter(self._places))]
        return message.model_copy(update={"sequence": place})

    def _stream(self, name: str) -> _Stream:
        stream = self._streams.get(name)
        if stream is None or time.monotonic() - stream.used > _STREAM_REST:
            stream = self._streams[name] = _Stream()
        return stream

    @contextmanager
    def _settling(self, name: str, message: Message) -> Generator[None]:
        """Forget the place of a message once it is known what became of it."""
        try:
            yield
        except MessageFailed:
            self._places.pop((name, message.id), None)
            raise
        self._places.pop((name, message.id), None)

    async def send(self, handle: WorkflowHandle[Any, Any], name: str, message: Message) -> None:
        """Deliver a message that nobody waits for."""
        async with self._gate(name).sending:
            with self._settling(name, message):
                await self._signal(handle, name, self._number(name, message))

    async def _signal(self, handle: WorkflowHandle[Any, Any], name: str, numbered: Message) -> None:
        await retrying(name, lambda: handle.signal("send", numbered, rpc_timeout=_ATTEMPT))

    async def confirm(self, handle: WorkflowHandle[Any, Any], name: str, message: Message, patience: float) -> None:
        """Deliver a message that nobody waits for, and return once the agent itself says that it has it.

        Raises:
            MailboxFull: The agent does not take it.
            NotAnswering: It said nothing for `patience` seconds; the message waits for it.
        """
        gate = self._gate(name)
        with self._settling(name, message):
            try:
                async with asyncio.timeout(patience), gate.accepting:
                    numbered = self._number(name, message)
                    await self._update(handle, name, numbered.model_copy(update={"wait": False}))
            except TimeoutError:
                # Nobody knows whether the update came through. A signal stays, and what comes twice is taken once.
                async with gate.sending:
                    await self._signal(handle, name, self._number(name, message))
                raise NotAnswering(name, patience, message.id) from None

    async def ask(self, handle: WorkflowHandle[Any, Any], name: str, message: Message) -> Reply:
        """Return the reply to a message, for as long as it takes; `pending` for one that does not wait."""
        with self._settling(name, message):
            return await self._reply(handle, name, message)

    async def _reply(self, handle: WorkflowHandle[Any, Any], name: str, message: Message) -> Reply:
        gate = self._gate(name)
        if not message.wait:
            async with gate.accepting:
                return await self._update(handle, name, self._number(name, message))
        if gate.open.locked():
            async with gate.accepting:
                message = self._number(name, message)
                reply = await self._update(handle, name, message.model_copy(update={"wait": False}))
        else:
            async with gate.open:
                message = self._number(name, message)
                reply = await self._update(handle, name, message)
                if reply.status == "pending":
                    # Mostly the agent rolled over, and its next run takes the question up again at once.
                    reply = await self._update(handle, name, message, again=True)
        while reply.status == "pending":
            poll = self._polls.setdefault(name, _Poll(handle, name))
            reply = await poll.reply(message.id) or await self._update(handle, name, message, again=True)
        if reply.status == "failed":
            raise MessageFailed(reply.id, reply.error)
        return reply

    async def _update(
        self, handle: WorkflowHandle[Any, Any], name: str, message: Message, *, again: bool = False
    ) -> Reply:
        """Return what one update gives. It is made again under its id, for a killed server never answers it."""
        away_since: float | None = None
        update_id = f"{message.id}/{uuid4()}" if again else message.id
        pause = _FIRST_POLL
        while True:
            try:
                call = handle.execute_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
                    "ask", message, id=update_id, result_type=Reply, rpc_timeout=_ATTEMPT
                )
                return await once(name, call)
            except Passing as error:
                # A time-out only says that the turn takes long.
                away_since = (away_since or time.monotonic()) if error.away else None
                if away_since and time.monotonic() - away_since > PATIENCE:
                    raise Unreachable("the address in use", f"no answer for {PATIENCE:g} s, last {error}") from error
                await asyncio.sleep(pause * (1 + random()))  # noqa: S311  # spreads retries, keeps no secret
                pause = min(pause * 2, 1.0)


class _Poll:
    """One query at a time for all the replies that a client waits for from one agent."""

    def __init__(self, handle: WorkflowHandle[Any, Any], name: str) -> None:
        self._handle = handle
        self._name = name
        self._wanted: dict[str, asyncio.Future[Reply | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def reply(self, message_id: str) -> Reply | None:
        """Return the reply once there is one, or None when the agent does not know the message any more."""
        future = self._wanted.setdefault(message_id, asyncio.get_running_loop().create_future())
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await asyncio.shield(future)

    async def _run(self) -> None:
        pause = _FIRST_POLL
        while self._wanted:
            await asyncio.sleep(pause)
            ids = list(self._wanted)[:1000]
            try:
                found = await retrying(self._name, lambda ids=ids: self._query(ids))
            except (NoWorker, NoAnswerYet):
                pause = _LONGEST_POLL  # The agent has the messages: they are answered when a worker is well again.
                continue
            except AosError as error:
                self._fail(error)
                return
            except BaseException as error:
                self._fail(error)
                raise
            known = {reply.id: reply for reply in found}
            settled = [message_id for message_id in ids if not _waits(known.get(message_id))]
            for message_id in settled:
                self._wanted.pop(message_id).set_result(known.get(message_id))
            pause = _FIRST_POLL if settled else min(pause * 1.5, _LONGEST_POLL)

    def _fail(self, error: BaseException) -> None:
        """Have all who wait raise `error`; where none is left, it is nobody's."""
        for future in self._wanted.values():
            future.set_exception(error)
            future.exception()
        self._wanted.clear()

    async def _query(self, ids: list[str]) -> list[Reply]:
        return await self._handle.query("replies", Lookup(ids=ids), result_type=list[Reply], rpc_timeout=_ATTEMPT)


def _waits(reply: Reply | None) -> bool:
    return reply is not None and reply.status == "pending"
