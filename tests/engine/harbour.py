"""Topics on a worker of their own, and subscribers that only listen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from aos.message import Message
from aos.names import TOPIC_WORKFLOW
from aos.topic import Subscription, TopicStatus
from aos.topics import Topics
from aos_activities.archive import ArchiveActivities
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.conversations import Conversations
from aos_workers.deployment import deployment_config, make_current
from aos_workflows.topic.state import FAN
from aos_workflows.topic.workflow import Topic

T = TypeVar("T")

QUEUE = "harbour"

_DONE_AGAIN = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
)

_NOBODY = "nobody"
"""A task queue without a worker."""

_PATIENCE = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.3
_AT_ONCE = 8
_STARTED_AT_ONCE = 50


class Harbour:
    """Topics and listeners on a real server. Every topic gets a name of its own."""

    def __init__(self, temporal: Client) -> None:
        self.temporal = temporal
        self.topics = Topics(temporal, QUEUE)
        self._topics: list[str] = []
        self._listeners: list[str] = []

    def name(self) -> str:
        """Return a name that no other topic has; what is called so is ended with the test."""
        self._topics.append(f"topic-{uuid4().hex[:10]}")
        return self._topics[-1]

    async def start(self, **spec: Any) -> str:
        """Start a topic and return its name."""
        name = self.name()
        await self.topics.start({"name": name, **spec})
        return name

    async def start_by_hand(self, name: str, *given: object) -> WorkflowHandle[Any, Any]:
        """Start the workflow of a topic with any input."""
        return await self.temporal.start_workflow(TOPIC_WORKFLOW, args=given, id=f"topic/{name}", task_queue=QUEUE)

    async def listener(self) -> str:
        """Start a workflow that nobody runs, and return its address: what it is told stays in its history."""
        address = f"agent/listener-{uuid4().hex[:10]}"
        self._listeners.append(address)
        await self.temporal.start_workflow("Listener", id=address, task_queue=_NOBODY)
        return address

    async def listeners(self, number: int) -> list[str]:
        """Start so many listeners and return their addresses."""
        return await self.side_by_side([self.listener] * number, _STARTED_AT_ONCE)

    async def subscribe(self, topic: str, *subscribers: str, **fields: Any) -> None:
        """Subscribe all of them to a topic."""
        await self.side_by_side(
            [lambda one=one: self.topics.subscribe(topic, one, **fields) for one in subscribers], _AT_ONCE
        )

    async def publish(self, topic: str, *texts: str, **fields: Any) -> None:
        """Publish texts one after the other; each is its own id, which its topic and its sender make unlike others."""
        for text in texts:
            given = {"id": f"{topic}/{fields.get('sender', '')}/{text}", **fields, "text": text}
            await self.topics.publish(topic, Message.model_validate(given))

    async def side_by_side(self, calls: Sequence[Callable[[], Awaitable[T]]], at_once: int) -> list[T]:
        """Return what calls give, some of which are made at a time."""
        gate = asyncio.Semaphore(at_once)

        async def one(call: Callable[[], Awaitable[T]]) -> T:
            async with gate:
                return await call()

        return await asyncio.gather(*map(one, calls))

    def handle(self, address: str, run_id: str | None = None) -> WorkflowHandle[Any, Any]:
        """Return the handle of a workflow."""
        return self.temporal.get_workflow_handle(address, run_id=run_id)

    async def update(self, topic: str, update: str, *given: object) -> Subscription:
        """Return the result of an update of a topic with any arguments."""
        return await self.handle(f"topic/{topic}").execute_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's
            update, args=given, result_type=Subscription
        )

    async def signal_bytes(self, topic: str, signal: str, *payloads: bytes) -> None:
        """Signal a topic with raw payloads, as any client of Temporal's could."""
        metadata = {"encoding": b"json/plain"}
        await self.temporal.workflow_service.signal_workflow_execution(
            SignalWorkflowExecutionRequest(
                namespace=self.temporal.namespace,
                workflow_execution=WorkflowExecution(workflow_id=f"topic/{topic}"),
                signal_name=signal,
                request_id=uuid4().hex,
                input=Payloads(payloads=[Payload(metadata=metadata, data=data) for data in payloads]),
            ),
            retry=True,
        )

    async def heard(self, listener: str, count: int = 0) -> list[dict[str, Any]]:
        """Return the messages that a listener got, once there are so many."""
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(_PATIENCE):
            async for event in self.handle(listener).fetch_history_events(wait_new_event=count > 0):
                signal = event.workflow_execution_signaled_event_attributes
                if signal.signal_name == "send":
                    heard.append(json.loads(signal.input.payloads[0].data))
                    if len(heard) == count:
                        return await self.heard(listener)
        return heard

    async def texts(self, listener: str, count: int) -> list[str]:
        """Return the texts that a listener got, once there are so many."""
        return [message["text"] for message in await self.heard(listener, count)]

    async def until_delivered(self, topic: str) -> TopicStatus:
        """Return how a topic is, once everybody has everything that was published until now."""
        return await self.until(lambda: self.topics.status(topic), lambda status: not status.waiting)

    async def until(self, look: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
        """Return what `look` gives once it `holds`."""
        pause = _FIRST_PAUSE
        async with asyncio.timeout(_PATIENCE):
            while not holds(found := await look()):
                # Each look is work for the one that is looked at.
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, _LONGEST_PAUSE)
        return found

    async def runs(self, address: str) -> list[str]:
        """Return the run ids of a workflow's life, the oldest first."""
        run_id = (await self.handle(address).describe()).raw_description.workflow_execution_info.first_run_id
        runs: list[str] = []
        while run_id:
            runs.append(run_id)
            last = (await self.events(address, run_id))[-1]
            run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        return runs

    async def events(self, address: str, run_id: str | None = None) -> list[HistoryEvent]:
        """Return the history of a run, the newest by default."""
        return list((await self.handle(address, run_id).fetch_history()).events)

    async def failed_tasks(self, topic: str) -> list[str]:
        """Return why workflow tasks of a topic's whole life, and of its branches', failed: there must be none."""
        addresses, failed = [f"topic/{topic}"], list[str]()
        while addresses:
            address = addresses.pop()
            for run_id in await self.runs(address):
                for event in await self.events(address, run_id):
                    told = event.workflow_task_failed_event_attributes
                    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED and told.cause not in _DONE_AGAIN:
                        failed.append(f"{address}: {told.failure.message}")
                    started = event.child_workflow_execution_started_event_attributes
                    if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
                        addresses.append(started.workflow_execution.workflow_id)
        return failed

    async def end_all(self) -> None:
        """End what the test has started, and the branches of its topics, which outlive them. No worker is needed."""
        listeners, topics = self._listeners, [f"topic/{name}" for name in self._topics]
        self._listeners, self._topics = [], []
        await self._end(*listeners, *topics)
        while topics:
            topics = await self._end(*(f"{topic}.{number}" for topic in topics for number in range(1, FAN + 1)))

    async def _end(self, *addresses: str) -> list[str]:
        """Terminate workflows, and return those that lived."""

        async def end(address: str) -> bool:
            with suppress(RPCError):
                await self.handle(address).terminate("the test is over")
                return True
            return False

        lived = await self.side_by_side([lambda one=one: end(one) for one in addresses], _STARTED_AT_ONCE)
        return [address for address, was_there in zip(addresses, lived, strict=True) if was_there]


@asynccontextmanager
async def open_harbour(temporal: Client, folder: Path, *, cached: int = 2000) -> AsyncGenerator[Harbour]:
    """Run a worker for topics and listeners until the block ends."""
    store = SqliteBlobStore(folder / "blobs.db")
    archive = ArchiveActivities(store, Conversations(store))
    worker = Worker(
        temporal,
        task_queue=QUEUE,
        workflows=[Topic],
        activities=[archive.set_aside, archive.bring_back],
        deployment_config=deployment_config(""),
        max_cached_workflows=cached,
    )
    harbour = Harbour(temporal)
    async with worker:
        await make_current(temporal, deployment_config(""))
        try:
            yield harbour
        finally:
            await harbour.end_all()
            await store.aclose()
