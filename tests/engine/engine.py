"""AOS's workers on a server, and what a test does with agents on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from aos.app import App
from aos.client import AosClient
from aos.message import Message
from aos.names import AGENT_WORKFLOW, TASK_QUEUE, agent_workflow_id
from aos.provider import ModelProvider
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_workers.settings import Settings
from aos_workers.worker import Parts, running_workers
from engine.scripts import Script, ScriptedAgents, echo

T = TypeVar("T")

_DONE_AGAIN = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
)

_PATIENCE = 30.0
_PAUSE = 0.02


class Engine:
    """Agents on real workers and a real server. The server is shared, so every agent gets a name of its own."""

    def __init__(self, temporal: Client, models: ScriptedAgents, store: SqliteBlobStore) -> None:
        self.temporal = temporal
        self.client = AosClient(temporal)
        self.models = models
        self.store = store
        self._names: list[str] = []
        self._teams: list[str] = []

    async def start(self, script: Script = echo, **spec: Any) -> str:
        """Start an agent whose model answers by `script`, and return its name."""
        name = self.name()
        self.models.scripts[name] = script
        self.models.requests[name] = []
        await self.start_by_hand(name, {"name": name, "model": f"scripted:{name}", **spec})
        return name

    async def start_by_hand(self, name: str, *given: object) -> WorkflowHandle[Any, Any]:
        """Start the workflow of an agent called `name` with any input, as the Temporal CLI would."""
        workflow_id = agent_workflow_id(name)
        return await self.temporal.start_workflow(AGENT_WORKFLOW, args=given, id=workflow_id, task_queue=TASK_QUEUE)

    def name(self) -> str:
        """Return a name that no other agent has; an agent that gets it is ended with the test."""
        self._names.append(f"agent-{uuid4().hex[:10]}")
        return self._names[-1]

    def member(self, name: str, script: Script = echo, **spec: Any) -> dict[str, Any]:
        """Return a member of a team that is an agent, whose model answers by `script`."""
        model = self.model(script)
        return {"name": name, "agent": {"name": model.partition(":")[2], "model": model, **spec}}

    def model(self, script: Script) -> str:
        """Return the name of a model that answers by `script`."""
        name = self.name()
        self.models.scripts[name] = script
        self.models.requests[name] = []
        return f"scripted:{name}"

    async def start_team(self, *members: dict[str, Any], name: str = "", **spec: Any) -> str:
        """Start a team and return its name."""
        name = name or self.name()
        self._teams.append(name)
        await self.client.teams.start({"name": name, "members": list(members), **spec})
        return name

    def requests(self, name: str) -> int:
        """Return how often an agent's model was called."""
        return len(self.models.requests[name])

    def handle(self, name: str, run_id: str | None = None) -> WorkflowHandle[Any, Any]:
        """Return the handle of an agent's workflow."""
        return self.temporal.get_workflow_handle(agent_workflow_id(name), run_id=run_id)

    async def ask(self, name: str, text: str, **fields: Any) -> str:
        """Return the text of an agent's reply."""
        return (await self.client.ask(name, Message(text=text, **fields))).text

    async def update(self, name: str, update: str, *given: object) -> Any:
        """Return the result of an update with any arguments, as any client of Temporal's could make it."""
        handle = self.handle(name)
        return await handle.execute_update(update, args=given)  # pyright: ignore[reportUnknownMemberType] - the SDK's

    async def send(self, name: str, text: str, **fields: Any) -> str:
        """Tell an agent something, and return the message's id."""
        return await self.client.send(name, Message(text=text, **fields))

    async def signal_bytes(self, name: str, signal: str, *payloads: bytes, encoding: str = "json/plain") -> None:
        """Signal an agent with raw payloads, as any client of Temporal's could."""
        request = SignalWorkflowExecutionRequest(
            namespace=self.temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=agent_workflow_id(name)),
            signal_name=signal,
            request_id=uuid4().hex,
        )
        if payloads:
            metadata = {"encoding": encoding.encode()}
            request.input.CopyFrom(Payloads(payloads=[Payload(metadata=metadata, data=data) for data in payloads]))
        await self.temporal.workflow_service.signal_workflow_execution(request, retry=True)

    async def runs(self, name: str) -> list[str]:
        """Return the run ids of an agent's life, oldest first."""
        run_id = (await self.handle(name).describe()).raw_description.workflow_execution_info.first_run_id
        runs: list[str] = []
        while run_id:
            runs.append(run_id)
            last = (await self.events(name, run_id))[-1]
            run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        return runs

    async def events(self, name: str, run_id: str | None = None) -> list[HistoryEvent]:
        """Return the history of an agent's run, the newest by default."""
        return list((await self.handle(name, run_id).fetch_history()).events)

    async def failed_tasks(self, name: str) -> list[str]:
        """Return why workflow tasks of an agent's whole life failed: there must be none.

        One that the server has done again, because of signals that came before its end, has not failed.
        """
        return [
            f"{WorkflowTaskFailedCause.Name(event.workflow_task_failed_event_attributes.cause)}: "
            f"{event.workflow_task_failed_event_attributes.failure.message}"
            for run_id in await self.runs(name)
            for event in await self.events(name, run_id)
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
            and event.workflow_task_failed_event_attributes.cause not in _DONE_AGAIN
        ]

    async def until(self, look: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
        """Return what `look` gives once it `holds`."""
        async with asyncio.timeout(_PATIENCE):
            while not holds(found := await look()):
                await asyncio.sleep(_PAUSE)
        return found

    async def until_handled(self, name: str, count: int) -> None:
        """Return once an agent has handled that many messages."""
        await self.until(lambda: self.client.status(name), lambda status: status.handled >= count)

    async def until_waiting(self, name: str, count: int) -> None:
        """Return once that many messages wait for an agent."""
        await self.until(lambda: self.client.status(name), lambda status: status.waiting >= count)

    async def end_all(self) -> None:
        """End the agents that the test has started."""
        self.models.cut_short()
        # Teams first: one that lives would start its members anew.
        await asyncio.gather(*(self._end(f"team/{name}") for name in self._teams))
        await asyncio.gather(*(self._end(agent_workflow_id(name)) for name in self._names))

    async def _end(self, workflow_id: str) -> None:
        try:
            await self.temporal.get_workflow_handle(workflow_id).terminate("the test is over")
        except RPCError:
            return  # It ended by itself, or never began.


@asynccontextmanager
async def running_engine(
    temporal: Client,
    folder: Path,
    *providers: ModelProvider,
    apps: Sequence[App] = (),
    settings: Settings | None = None,
) -> AsyncGenerator[Engine]:
    """Run workers with `providers` beside the scripted one, on a fresh store in `folder`, until the block ends."""
    models = ScriptedAgents()
    store = SqliteBlobStore(folder / "blobs.db")
    registry = ProviderRegistry([models, *providers], ["scripted:default"])
    parts = Parts(store=store, registry=registry, memory=SqliteMemory(folder / "memory.db"))
    engine = Engine(temporal, models, store)
    async with running_workers(temporal, settings or Settings(home=folder), parts, apps):
        try:
            yield engine
        finally:
            await engine.end_all()
