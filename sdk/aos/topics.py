"""Topics, from the Python client: publish, subscribe, look at them.

A topic comes into being when something is first published on it, or somebody first subscribes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from aos.connection import Passing, once, retrying
from aos.control import Stop
from aos.errors import InvalidInput, TopicExists, TopicNotFound, Unreachable
from aos.limits import MESSAGE_BYTES, SPEC_BYTES
from aos.message import Message
from aos.names import TASK_QUEUE, TOPIC_TASK_TIMEOUT, TOPIC_WORKFLOW
from aos.reading import check_size, read_object
from aos.topic import (
    Subscribers,
    Subscription,
    TopicFarewell,
    TopicSpec,
    TopicStatus,
    Unsubscribe,
    topic_address,
    topic_name,
)
from aos.topic_filter import Filter
from aos.views import DeadLetters

R = TypeVar("R")

ENVELOPE_BYTES = 8 * 1024
"""What a topic and its branches may add to a publication."""

_ATTEMPT = timedelta(seconds=10)
_UPDATE = timedelta(seconds=90)
_LOOKED_AT_ONCE = 8


class Topics:
    """The topics on a Temporal server; an `AosClient` has it as `topics`.

    Topics are named bare, as in `ships`, or by their address, `topic/ships`.
    """

    def __init__(self, temporal: Client, task_queue: str = TASK_QUEUE) -> None:
        """Use a Temporal client that has `AosPlugin` among its plugins."""
        self._temporal = temporal
        self._queue = task_queue

    async def start(self, spec: TopicSpec | Mapping[str, object]) -> TopicSpec:
        """Start a topic that is to have another spec than its name alone.

        Raises:
            InvalidInput: The spec does not fit.
            TopicExists: The topic is there already.
        """
        read = spec if isinstance(spec, TopicSpec) else read_object(TopicSpec, "topic", spec)
        address = topic_address(read.name)
        starting = self._temporal.start_workflow(
            TOPIC_WORKFLOW,
            read,
            id=address,
            task_queue=self._queue,
            task_timeout=TOPIC_TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        try:
            await once(address, starting)
        except WorkflowAlreadyStartedError:
            raise TopicExists(address) from None
        except Passing as error:
            raise Unreachable("the address in use", str(error)) from error
        return read

    async def publish(self, topic: str, message: str | Message) -> str:
        """Publish a message, and return its id. One id is published once, however often it is sent.

        Raises:
            InvalidInput: The topic or the message does not fit.
        """
        name = _name(topic)
        read = message if isinstance(message, Message) else read_object(Message, "message", {"text": message})
        check_size("message", read, MESSAGE_BYTES - ENVELOPE_BYTES)
        if not read.id:
            read = read.model_copy(update={"id": uuid4().hex[:20]})

        async def attempt() -> object:
            return await self._temporal.start_workflow(
                TOPIC_WORKFLOW,
                TopicSpec(name=name),
                id=topic_address(name),
                task_queue=self._queue,
                task_timeout=TOPIC_TASK_TIMEOUT,
                start_signal="publish",
                start_signal_args=[read],
                rpc_timeout=_ATTEMPT,
            )

        await retrying(topic_address(name), attempt)
        return read.id

    async def announce(self, topic: str, message: Message) -> None:
        """Publish a message if there is such a topic: where nobody ever subscribed, nobody has to be told.

        Raises:
            InvalidInput: The topic or the message does not fit.
        """
        address = topic_address(_name(topic))
        check_size("message", message, MESSAGE_BYTES - ENVELOPE_BYTES)

        async def attempt() -> None:
            await self._handle(address).signal("publish", message, rpc_timeout=_ATTEMPT)

        with suppress(TopicNotFound):
            await retrying(address, attempt)

    async def subscribe(
        self, topic: str, subscriber: str, filter: Filter | Mapping[str, object] | None = None
    ) -> Subscription:
        """Have a subscriber get what is published on a topic, or change its filter; return its subscription.

        Raises:
            InvalidInput: The topic, the subscriber or the filter does not fit.
            AgentStopped: The topic is being stopped.
        """
        wanted = read_object(Subscription, "subscription", {"subscriber": subscriber, "filter": filter})
        check_size("subscription", wanted, SPEC_BYTES)
        name, update_id = _name(topic), f"subscribe-{uuid4()}"
        address = topic_address(name)

        async def attempt() -> Subscription:
            start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
                TOPIC_WORKFLOW,
                TopicSpec(name=name),
                id=address,
                task_queue=self._queue,
                task_timeout=TOPIC_TASK_TIMEOUT,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
            return await self._temporal.execute_update_with_start_workflow(  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
                "subscribe",
                wanted,
                start_workflow_operation=start,
                id=update_id,
                result_type=Subscription,
                rpc_timeout=_UPDATE,
            )

        return await retrying(address, attempt)

    async def unsubscribe(self, topic: str, subscriber: str) -> Subscription:
        """Have a subscriber get nothing more; return its subscription, without its filter where the topic has split.

        Raises:
            InvalidInput: The topic or the subscriber does not fit.
            AgentStopped: The topic is being stopped.
        """
        name, update_id = _name(topic), f"unsubscribe-{uuid4()}"
        wanted = read_object(Unsubscribe, "unsubscribe", {"subscriber": subscriber})

        async def attempt() -> Subscription:
            return await self._handle(topic_address(name)).execute_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
                "unsubscribe", wanted, id=update_id, result_type=Subscription, rpc_timeout=_UPDATE
            )

        try:
            return await retrying(topic_address(name), attempt)
        except TopicNotFound:
            return Subscription(subscriber=wanted.subscriber)  # Where there is no topic, nobody has subscribed.

    async def status(self, topic: str) -> TopicStatus:
        """Return how a topic is. What its branches have is counted in, and the newest dropped of all are named.

        Raises:
            TopicNotFound: There is no such topic.
        """
        parts = await self._walk(topic, "status", TopicStatus, lambda status: status.branches)
        dropped = sorted((one for part in parts for one in part.dropped), key=lambda one: one.at)
        return parts[0].model_copy(
            update={
                "subscribers": sum(part.subscribers for part in parts),
                "delivered": sum(part.delivered for part in parts),
                "waiting": max(part.waiting for part in parts),
                "dropped_count": sum(part.dropped_count for part in parts),
                "dropped": dropped[-20:],
                "dead_letters": sum(part.dead_letters for part in parts),
            }
        )

    async def subscribers(self, topic: str) -> list[Subscription]:
        """Return all subscriptions to a topic, in the order of their subscribers.

        Raises:
            TopicNotFound: There is no such topic.
        """
        parts = await self._walk(topic, "subscribers", Subscribers, lambda part: part.branches)
        return sorted(
            (one for part in parts for one in part.subscriptions), key=lambda subscription: subscription.subscriber
        )

    async def dead_letters(self, topic: str) -> DeadLetters:
        """Return what a topic itself could not read or deliver.

        Raises:
            TopicNotFound: There is no such topic.
        """
        return await self._query(topic_address(_name(topic)), "dead_letters", DeadLetters)

    async def stop(self, topic: str, how: Stop | None = None) -> TopicFarewell:
        """End a topic when everybody has what was published, and return what it leaves behind.

        Raises:
            TopicNotFound: There is no such topic.
        """
        address = topic_address(_name(topic))
        handle, wanted = self._handle(address), how or Stop()
        await retrying(address, lambda: handle.signal("stop", wanted, rpc_timeout=_ATTEMPT))
        result = self._temporal.get_workflow_handle(address, result_type=TopicFarewell)
        return await retrying(address, result.result)

    async def names(self) -> list[str]:
        """Return the names of the topics that are there, without their branches."""
        query = f"WorkflowType = '{TOPIC_WORKFLOW}' AND ExecutionStatus = 'Running'"

        async def attempt() -> list[str]:
            return [execution.id.partition("/")[2] async for execution in self._temporal.list_workflows(query)]

        return sorted(name for name in await retrying("", attempt) if _is_whole(name))

    async def _walk(self, topic: str, query: str, result: type[R], branches: Callable[[R], list[str]]) -> list[R]:
        """Return what a topic answers, and then what all its branches do."""
        found = [await self._query(topic_address(_name(topic)), query, result)]
        gate = asyncio.Semaphore(_LOOKED_AT_ONCE)

        async def look(address: str) -> R | None:
            async with gate:
                try:
                    return await self._query(address, query, result)
                except TopicNotFound:
                    return None  # A branch that nobody has been placed in yet.

        level = branches(found[0])
        while level:
            parts = [part for part in await asyncio.gather(*map(look, level)) if part is not None]
            found += parts
            level = [branch for part in parts for branch in branches(part)]
        return found

    async def _query(self, address: str, query: str, result: type[R]) -> R:
        def attempt() -> Awaitable[R]:
            return self._handle(address).query(query, result_type=result, rpc_timeout=_ATTEMPT)

        return await retrying(address, attempt)

    def _handle(self, address: str) -> WorkflowHandle[Any, Any]:
        return self._temporal.get_workflow_handle(address)


def _name(topic: str) -> str:
    try:
        return topic_name(topic)
    except ValueError as error:
        raise InvalidInput("topic", [f"name: {error}"]) from None


def _is_whole(name: str) -> bool:
    try:
        topic_name(name)
    except ValueError:
        return False
    return True
