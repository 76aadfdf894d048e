"""The Python client: start agents, talk to them, look at them."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, Self, TypeVar
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from aos.connection import Passing, connect, once, retrying
from aos.control import Changes, Letters, Lookup, Stop
from aos.delivery import Delivery
from aos.errors import AgentExists, NotAnswering, Unreachable
from aos.limits import MESSAGE_BYTES, SPEC_BYTES, clip
from aos.listening import partial_replies
from aos.message import Event, Message, Reply
from aos.names import AGENT_WORKFLOW, TASK_QUEUE, TASK_TIMEOUT, agent_workflow_id
from aos.read_back import READ_BACK_WORKFLOW, ReadBackRequest, ReadBackResult, ReadBlob, ReadTranscript
from aos.reading import check_size, read_object
from aos.shared_memory import SharedMemory
from aos.spec import AgentSpec
from aos.streaming import PartialReply
from aos.teams import Teams
from aos.topics import Topics
from aos.views import AgentStatus, DeadLetters, Farewell, InboxView, LettersSettled, TranscriptPage, TranscriptView

R = TypeVar("R")

CONFIRM_SECONDS = 5.0
"""How long `send` waits for the agent to say that it has a message, before it leaves it with the server."""

_ATTEMPT = timedelta(seconds=10)
_SUMMARY_CHARS = 100


class AosClient:
    """Speaks to agents through a Temporal server. One client may be used by many tasks at once.

    `send` and `ask` deliver each message once, however often they have to try. Agents are named bare, as in `ada`,
    others by their address, as in `team/news`; `teams` has what teams can do besides, `topics` is for publishing, and
    `memory` is what agents know together.
    """

    def __init__(self, temporal: Client) -> None:
        """Use a Temporal client that has `AosPlugin` among its plugins."""
        self._temporal = temporal
        self._delivery = Delivery()
        self.teams = Teams(temporal)
        self.topics = Topics(temporal)
        self.memory = SharedMemory(temporal)

    @classmethod
    async def connect(cls, address: str | None = None, *, namespace: str | None = None) -> Self:
        """Connect as the `temporal` command would: its `TEMPORAL_*` settings and profile file count here too.

        Raises:
            Unreachable: No server answers there.
        """
        return cls(await connect(address, namespace))

    @property
    def temporal(self) -> Client:
        """The Temporal client beneath."""
        return self._temporal

    async def start(self, spec: AgentSpec | Mapping[str, object]) -> AgentSpec:
        """Start an agent.

        Raises:
            InvalidInput: The spec does not fit.
            AgentExists: An agent of that name is alive.
        """
        read = spec if isinstance(spec, AgentSpec) else read_object(AgentSpec, "agent", spec)
        check_size("agent", read, SPEC_BYTES)
        starting = self._temporal.start_workflow(
            AGENT_WORKFLOW,
            read,
            id=agent_workflow_id(read.name),
            task_queue=TASK_QUEUE,
            task_timeout=TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=clip(read.purpose, _SUMMARY_CHARS) or None,
        )
        try:
            # Temporal's client tries again by itself; a second call of ours might find what the first one started.
            await once(read.name, starting)
        except WorkflowAlreadyStartedError:
            raise AgentExists(read.name) from None
        except Passing as error:
            raise Unreachable("the address in use", str(error)) from error
        return read

    async def send(self, name: str, message: str | Message, *, confirm: bool = False) -> str:
        """Tell an agent something, and return the message's id.

        `confirm`: return when the agent itself has taken it in, which needs a worker and takes longer.

        Raises:
            AgentNotFound: No agent of that name lives.
            MailboxFull: Too much waits for the agent, with `confirm`; without, the message is a dead letter of its.
                Its `retry_after` says in how many seconds to come back.
            NotAnswering: With `confirm`, no worker took it in for some seconds; it waits for one.
        """
        read = _message(message)
        if confirm:
            await self._delivery.confirm(self._handle(name), name, read, CONFIRM_SECONDS)
        else:
            await self._delivery.send(self._handle(name), name, read)
        return read.id

    async def tell_event(self, name: str, event: Event) -> None:
        """Tell an agent of an outside event. One that has an `id` counts once.

        Raises:
            InvalidInput: It is too long.
        """
        check_size("event", event, MESSAGE_BYTES)
        await retrying(name, lambda: self._handle(name).signal("event", event, rpc_timeout=_ATTEMPT))

    async def ask(self, name: str, message: str | Message, *, timeout: float | None = None) -> Reply:
        """Ask an agent something, and return its reply, however long that takes or `timeout` seconds at most.

        Asking again with a message of the same id returns the same reply.

        Raises:
            AgentNotFound: No agent of that name lives.
            AgentStopped: It was stopped first.
            MessageFailed: The message is among its dead letters.
            NotAnswering: `timeout` went by; the message stays with the agent.
        """
        read = _message(message)
        try:
            async with asyncio.timeout(timeout):
                return await self._delivery.ask(self._handle(name), name, read)
        except TimeoutError:
            raise NotAnswering(name, timeout or 0.0, read.id) from None

    async def ask_streaming(self, name: str, message: str | Message) -> AsyncIterator[PartialReply | Reply]:
        """Ask an agent something; yield the reply's text so far as it is written, and last the reply itself."""
        asked = _message(message).model_copy(update={"stream": True})
        task = asyncio.create_task(self.ask(name, asked))
        try:
            async for partial in partial_replies(self._handle(name), asked.id, until=task):
                yield partial
            yield await task
        finally:
            task.cancel()

    async def reply(self, name: str, message_id: str) -> Reply | None:
        """Return what became of a message, or None where the agent does not know it any more."""
        found = await self._query(name, "replies", list[Reply], Lookup(ids=[message_id]))
        return found[0] if found else None

    async def pause(self, name: str) -> None:
        """Have an agent take no more steps until it is resumed."""
        await retrying(name, lambda: self._handle(name).signal("pause", rpc_timeout=_ATTEMPT))

    async def resume(self, name: str) -> None:
        """Have a paused agent go on."""
        await retrying(name, lambda: self._handle(name).signal("resume", rpc_timeout=_ATTEMPT))

    async def stop(self, name: str, how: Stop | None = None) -> Farewell:
        """End an agent, and return what it leaves behind."""
        handle = self._handle(name)
        wanted = how or Stop()
        await retrying(name, lambda: handle.signal("stop", wanted, rpc_timeout=_ATTEMPT))
        result = self._temporal.get_workflow_handle(agent_workflow_id(name), result_type=Farewell)
        return await retrying(name, result.result)

    async def configure(self, name: str, changes: Mapping[str, object]) -> AgentSpec:
        """Change fields of an agent's spec while it lives, and return the whole spec.

        Raises:
            InvalidInput: The changed spec does not fit, or the workers cannot run it; nothing was changed.
        """
        wanted = read_object(Changes, "changes", dict(changes))
        check_size("changes", wanted, SPEC_BYTES)
        update = f"configure-{uuid4()}"

        async def attempt() -> AgentSpec:
            return await self._handle(name).execute_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
                "configure", wanted, id=update, result_type=AgentSpec, rpc_timeout=timedelta(seconds=90)
            )

        return await retrying(name, attempt)

    async def status(self, name: str) -> AgentStatus:
        """Return how an agent is."""
        return await self._query(name, "status", AgentStatus)

    async def inbox(self, name: str) -> InboxView:
        """Return the messages that wait for an agent."""
        return await self._query(name, "inbox", InboxView)

    async def spec(self, name: str) -> AgentSpec:
        """Return an agent's spec as it is now."""
        return await self._query(name, "spec", AgentSpec)

    async def dead_letters(self, name: str) -> DeadLetters:
        """Return the messages that an agent could not read or handle."""
        return await self._query(name, "dead_letters", DeadLetters)

    async def replay_letters(self, name: str, letters: Letters) -> LettersSettled:
        """Have an agent take dead letters in once more, under new ids."""
        return await self._settle(name, "replay_letters", letters)

    async def drop_letters(self, name: str, letters: Letters) -> LettersSettled:
        """Have an agent forget dead letters."""
        return await self._settle(name, "drop_letters", letters)

    async def recent(self, name: str) -> TranscriptView:
        """Return the newest part of an agent's conversation, as previews."""
        return await self._query(name, "transcript", TranscriptView)

    async def transcript(self, name: str, *, limit: int = 50, skip: int = 0) -> TranscriptPage:
        """Return up to `limit` items of an agent's conversation whole, oldest first, leaving out the `skip` newest."""
        head = (await self.recent(name)).head
        result = await self._read_back(ReadBackRequest(transcript=ReadTranscript(head=head, limit=limit, skip=skip)))
        return result.transcript or TranscriptPage(lines=[])

    async def text(self, ref: str) -> str:
        """Return a stored text whole, for instance that of a long reply, by its reference."""
        parts: list[str] = []
        offset = 0
        while True:
            page = (await self._read_back(ReadBackRequest(blob=ReadBlob(ref=ref, offset=offset)))).blob
            if page is None:
                break
            parts.append(page.text)
            if not page.next_offset:
                break
            offset = page.next_offset
        return "".join(parts)

    async def names(self) -> list[str]:
        """Return the names of the agents that are alive."""
        query = f"WorkflowType = '{AGENT_WORKFLOW}' AND ExecutionStatus = 'Running'"

        async def attempt() -> list[str]:
            return [execution.id.partition("/")[2] async for execution in self._temporal.list_workflows(query)]

        return sorted(await retrying("", attempt))

    async def _read_back(self, request: ReadBackRequest) -> ReadBackResult:
        async def attempt() -> ReadBackResult:
            return await self._temporal.execute_workflow(
                READ_BACK_WORKFLOW,
                request,
                id=f"aos/read/{uuid4()}",
                task_queue=TASK_QUEUE,
                result_type=ReadBackResult,
                execution_timeout=timedelta(minutes=2),
            )

        return await retrying("", attempt)

    async def _settle(self, name: str, update: str, letters: Letters) -> LettersSettled:
        handle, update_id = self._handle(name), f"{update}-{uuid4()}"

        async def attempt() -> LettersSettled:
            return await handle.execute_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
                update, letters, id=update_id, result_type=LettersSettled, rpc_timeout=timedelta(seconds=90)
            )

        return await retrying(name, attempt)

    async def _query(self, name: str, query: str, result: type[R], *args: object) -> R:
        async def attempt() -> R:
            return await self._handle(name).query(query, *args, result_type=result, rpc_timeout=_ATTEMPT)

        return await retrying(name, attempt)

    def _handle(self, name: str) -> WorkflowHandle[Any, Any]:
        return self._temporal.get_workflow_handle(name if "/" in name else agent_workflow_id(name))


def new_id() -> str:
    """Return an id that no other message has. It stands seven times in the history of a turn, so it is short."""
    return base64.b32hexencode(secrets.token_bytes(10)).decode().lower()


def _message(message: str | Message) -> Message:
    read = message if isinstance(message, Message) else read_object(Message, "message", {"text": message})
    check_size("message", read, MESSAGE_BYTES)
    return read if read.id else read.model_copy(update={"id": new_id()})
