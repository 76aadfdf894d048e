"""Teams whose members are puppets, on a worker of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from aos.app import App
from aos.connection import retrying
from aos.errors import AgentNotFound, AosError
from aos.message import Reply
from aos.names import AGENT_WORKFLOW, TEAM_WORKFLOW
from aos.team_views import TaskList, TaskReport, TeamFarewell, TeamStatus
from aos_activities.archive import ArchiveActivities
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.conversations import Conversations
from aos_activities.directory import DirectoryActivities
from aos_activities.judging import JudgingActivities
from aos_activities.keeping import KeepingActivities
from aos_activities.models.registry import ProviderRegistry
from aos_workers.deployment import deployment_config, make_current
from aos_workers.worker import app_worker
from aos_workflows.team.workflow import AgentTeam
from engine.puppets import Puppet
from engine.scripts import ScriptedAgents

T = TypeVar("T")

_DONE_AGAIN = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
)

_PATIENCE = 30.0
_PAUSE = 0.02


def puppet(name: str, *answers: object, **fields: object) -> dict[str, Any]:
    """Return a member that is a child and answers so."""
    return {"name": name, "agent": {"instructions": json.dumps(answers)}, **fields}


class Theatre:
    """Teams of puppets on a real server. Every team gets a name of its own."""

    def __init__(self, temporal: Client, queue: str, models: ScriptedAgents, store: SqliteBlobStore) -> None:
        self.temporal = temporal
        self._queue = queue
        self.models = models
        self.store = store
        self._ids: list[str] = []

    def name(self) -> str:
        """Return a name that no other team has; what is called so is ended with the test."""
        return f"team-{uuid4().hex[:10]}"

    async def start(self, *members: dict[str, Any], name: str = "", **spec: Any) -> str:
        """Start a team and return its name."""
        name = name or self.name()
        await self.start_by_hand(name, {"name": name, "members": list(members), **spec})
        return name

    async def start_by_hand(self, name: str, *given: object) -> WorkflowHandle[Any, Any]:
        """Start the workflow of a team with any input."""
        self._ids.append(f"team/{name}")
        return await self.temporal.start_workflow(TEAM_WORKFLOW, args=given, id=f"team/{name}", task_queue=self._queue)

    async def start_puppet(self, name: str, *answers: object) -> str:
        """Start a puppet that is nobody's child, and return its address."""
        self._ids.append(f"agent/{name}")
        spec = {"name": name, "instructions": json.dumps(answers)}
        await self.temporal.start_workflow(AGENT_WORKFLOW, spec, id=f"agent/{name}", task_queue=self._queue)
        return f"agent/{name}"

    def team(self, name: str, run_id: str | None = None) -> WorkflowHandle[Any, Any]:
        """Return the handle of a team."""
        return self.temporal.get_workflow_handle(f"team/{name}", run_id=run_id)

    def child(self, team: str, member: str) -> WorkflowHandle[Any, Any]:
        """Return the handle of a member that is a child."""
        return self.temporal.get_workflow_handle(f"agent/{team}.{member}")

    async def update(self, name: str, update: str, *given: object, result: type[T] | None = None) -> Any:
        """Return the result of an update."""
        handle = self.team(name)
        return await handle.execute_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's
            update, args=given, result_type=result
        )

    async def ask(self, name: str, text: str, **fields: Any) -> Reply:
        """Give a team a task and return what comes of it."""
        fields.setdefault("id", uuid4().hex[:12])
        reply: Reply = await self.update(name, "ask", {"text": text, **fields}, result=Reply)
        while reply.status == "pending":
            reply = await self.update(name, "ask", {"text": text, **fields}, result=Reply)
        return reply

    async def send(self, name: str, text: str, **fields: Any) -> None:
        """Give a team a task that nobody waits for."""
        await self.team(name).signal("send", {"text": text, **fields})

    async def status(self, name: str) -> TeamStatus:
        """Return how a team is."""
        return await retrying(name, lambda: self.team(name).query("status", result_type=TeamStatus))

    async def tasks(self, name: str) -> TaskList:
        """Return a team's tasks."""
        return await retrying(name, lambda: self.team(name).query("tasks", result_type=TaskList))

    async def task(self, name: str, task_id: str) -> TaskReport:
        """Return one task of a team."""
        handle = self.team(name)
        return await retrying(name, lambda: handle.query("task", {"id": task_id}, result_type=TaskReport))

    async def said(self, name: str, task_id: str) -> list[tuple[str, str]]:
        """Return who said what in a task."""
        return [(line.source, line.text) for line in (await self.task(name, task_id)).lines]

    async def heard(self, handle: WorkflowHandle[Any, Any]) -> list[dict[str, Any]]:
        """Return the messages that a puppet got."""
        return await retrying("", lambda: handle.query("heard", result_type=list[dict[str, Any]]))

    async def stop(self, name: str) -> TeamFarewell:
        """Stop a team and return what it leaves behind."""
        await self.team(name).signal("stop", {"reason": "the play is over"})
        return TeamFarewell.model_validate(await self.team(name).result())

    async def until(self, look: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
        """Return what `look` gives once it `holds`."""
        async with asyncio.timeout(_PATIENCE):
            while not holds(found := await look()):
                await asyncio.sleep(_PAUSE)
        return found

    async def until_done(self, name: str, count: int) -> None:
        """Return once so many tasks are over."""
        await self.until(lambda: self.status(name), lambda s: s.tasks_done + s.tasks_failed >= count)

    async def until_heard(self, handle: WorkflowHandle[Any, Any], count: int = 1) -> list[dict[str, Any]]:
        """Return once a puppet got so many messages."""
        return await self.until(lambda: self._heard_so_far(handle), lambda heard: len(heard) >= count)

    async def _heard_so_far(self, handle: WorkflowHandle[Any, Any]) -> list[dict[str, Any]]:
        try:
            return await self.heard(handle)
        except AgentNotFound:
            return []

    async def kill_in_turn(self, handle: WorkflowHandle[Any, Any]) -> None:
        """Terminate a puppet as soon as it lives and has got a message."""

        async def running() -> str:
            try:
                found = await handle.describe()
            except RPCError:
                return ""
            return found.run_id if found.status == WorkflowExecutionStatus.RUNNING else ""

        run = self.temporal.get_workflow_handle(handle.id, run_id=await self.until(running, bool))
        await self.until_heard(run)
        await run.terminate("an accident")

    async def events(self, handle: WorkflowHandle[Any, Any]) -> list[HistoryEvent]:
        """Return the history of a run."""
        return list((await handle.fetch_history()).events)

    async def failed_tasks(self, name: str) -> list[str]:
        """Return why workflow tasks of a team's newest run failed: there must be none."""
        return [
            event.workflow_task_failed_event_attributes.failure.message
            for event in await self.events(self.team(name))
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
            and event.workflow_task_failed_event_attributes.cause not in _DONE_AGAIN
        ]

    async def end_all(self) -> None:
        """End what the test has started, and the children of its teams."""
        self.models.cut_short()
        ids, self._ids = self._ids, []
        for name in [one.removeprefix("team/") for one in ids if one.startswith("team/")]:
            await self._end(f"team/{name}")
        for one in ids:
            await self._end(one)

    async def _end(self, workflow_id: str) -> None:
        children: list[str] = []
        # One that was terminated may not be able to answer: nobody takes in any more what came before its end.
        if workflow_id.startswith("team/") and await self._is_running(workflow_id):
            try:
                status = await self.status(workflow_id.removeprefix("team/"))
                children = [member.address for member in status.members if member.child]
            except AosError:
                children = []
        for one in (workflow_id, *children):
            try:
                await self.temporal.get_workflow_handle(one).terminate("the test is over")
            except RPCError:
                continue  # It ended by itself, or never began.

    async def _is_running(self, workflow_id: str) -> bool:
        described = await self.temporal.get_workflow_handle(workflow_id).describe()
        return described.status == WorkflowExecutionStatus.RUNNING


@asynccontextmanager
async def open_theatre(temporal: Client, folder: Path, apps: Sequence[App] = ()) -> AsyncGenerator[Theatre]:
    """Run a worker for teams and puppets until the block ends."""
    # Two folders of tests may each have a theatre on one server.
    queue = f"theatre-{uuid4().hex[:10]}"
    models = ScriptedAgents()
    store = SqliteBlobStore(folder / "blobs.db")
    registry = ProviderRegistry([models], ["scripted:default"])
    archive = ArchiveActivities(store, Conversations(store))
    keeping = KeepingActivities(store, registry)
    directory = DirectoryActivities(temporal)
    worker = Worker(
        temporal,
        task_queue=queue,
        workflows=[AgentTeam, Puppet],
        activities=[
            archive.set_aside,
            archive.bring_back,
            archive.read_blob,
            keeping.check_team,
            keeping.keep_text,
            keeping.keep_replies,
            keeping.find_task_reply,
            JudgingActivities(store, registry).judge,
            directory.conditions,
            directory.find_by_skill,
        ],
        deployment_config=deployment_config(""),
    )
    theatre = Theatre(temporal, queue, models, store)
    async with worker:
        await make_current(temporal, deployment_config(""))
        try:
            if apps:
                async with app_worker(temporal, apps[0], store):
                    yield theatre
            else:
                yield theatre
        finally:
            await theatre.end_all()
            await store.aclose()
