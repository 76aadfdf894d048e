"""The worker of AOS: agents, model calls and built-in tools on one task queue, applications on theirs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from temporalio.client import Client
from temporalio.worker import PollerBehaviorSimpleMaximum, Worker

from aos.app import App
from aos.embedding import Embedder
from aos.memory import MemoryStore
from aos.names import TASK_QUEUE
from aos.store import BlobStore
from aos_activities.archive import ArchiveActivities
from aos_activities.builtin import builtin_tools
from aos_activities.builtin.recalling import recalling_tools
from aos_activities.compaction import CompactionActivities
from aos_activities.conversations import Conversations
from aos_activities.directory import DirectoryActivities
from aos_activities.judging import JudgingActivities
from aos_activities.keeping import KeepingActivities
from aos_activities.memory.access import MemoryAccess
from aos_activities.memory.using import MemoryActivities
from aos_activities.models.registry import ProviderRegistry
from aos_activities.programs import ProgramActivities
from aos_activities.think import ThinkActivities
from aos_activities.tools import ToolHost
from aos_activities.topics import topic_access
from aos_workers.deployment import build_of, deployment_config, make_current
from aos_workers.home import Home
from aos_workers.providers import make_registry
from aos_workers.search_attributes import ensure_search_attributes
from aos_workers.settings import Settings
from aos_workers.starting import start_worker, until_served
from aos_workers.stores import make_blobs, make_embedder, make_memory
from aos_workflows.agent import PerpetualAgent
from aos_workflows.read_back import ReadBack
from aos_workflows.team.workflow import AgentTeam
from aos_workflows.topic.workflow import Topic
from aos_workflows.use_memory import UseMemory

_POLLS = 5
"""Polls of the task queue at a time, and of the worker's own. A server spreads a queue over four partitions as a rule.

Temporal's SDK polls the queue once at a time. Where that poll waits in one partition, and a task lies in another as a
run's first does, an agent was seen to stand still for a minute, until the poll ended.
"""

_STICKY = timedelta(seconds=1)
_DRAIN = timedelta(seconds=10)
_HEARTBEATS = timedelta(milliseconds=100)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a worker is made of; tests put their own in. `embedder`: by which memory is searched by meaning."""

    store: BlobStore
    registry: ProviderRegistry
    memory: MemoryStore
    embedder: Embedder | None = None


def make_parts(settings: Settings, home: Home) -> Parts:
    """Return the parts that the settings ask for.

    Raises:
        SetupError: The settings of the stores do not fit.
    """
    return Parts(
        store=make_blobs(settings, home),
        registry=make_registry(settings),
        memory=make_memory(settings, home),
        embedder=make_embedder(settings),
    )


@asynccontextmanager
async def running_workers(
    client: Client, settings: Settings, parts: Parts, apps: Sequence[App] = ()
) -> AsyncGenerator[Sequence[Worker]]:
    """Run the AOS worker, and one for each application, until the block ends; then let what runs finish.

    Raises:
        SetupError: The server refuses; the message says what.
        Unreachable: The server was away for too long when the workers were to start.
    """
    async with AsyncExitStack() as stack:
        stack.push_async_callback(parts.store.aclose)
        stack.push_async_callback(parts.registry.aclose)
        stack.push_async_callback(parts.memory.aclose)
        if parts.embedder is not None:
            stack.push_async_callback(parts.embedder.aclose)
        await until_served(client)
        found = await ensure_search_attributes(client)
        makers = [partial(aos_worker, client, settings, parts, search_attributes=found)]
        makers += [partial(app_worker, client, app, parts.store) for app in apps]
        workers = [await start_worker(stack, make) for make in makers]
        if settings.versioning == "auto":
            await make_current(client, deployment_config(settings.build_id))
        yield workers


def aos_worker(client: Client, settings: Settings, parts: Parts, *, search_attributes: bool) -> Worker:
    """Return the worker that serves agents, not started. `search_attributes`: the namespace has AOS's."""
    conversations = Conversations(parts.store)
    topics = topic_access(client)
    memory = MemoryAccess(parts.memory, parts.embedder, topics)
    recalling = recalling_tools(parts.store, conversations, memory)
    tools = [*builtin_tools(topics, memory, settings.documents, settings.fetch_hosts), *recalling]
    programs = ProgramActivities(
        parts.store,
        parts.registry,
        [tool.describe(TASK_QUEUE) for tool in tools],
        always=[tool.name for tool in recalling],
        search_attributes=search_attributes,
    )
    thinking = ThinkActivities(parts.store, parts.registry, conversations, parts.memory)
    compaction = CompactionActivities(parts.store, parts.registry, conversations, memory)
    archive = ArchiveActivities(parts.store, conversations)
    directory = DirectoryActivities(client)
    judging = JudgingActivities(parts.store, parts.registry)
    keeping = KeepingActivities(parts.store, parts.registry, search_attributes=search_attributes)
    using = MemoryActivities(memory)
    host = ToolHost(tools, TASK_QUEUE, parts.store)
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[PerpetualAgent, AgentTeam, Topic, ReadBack, UseMemory],
        activities=[
            programs.prepare_agent,
            thinking.think,
            compaction.compact,
            compaction.replant,
            archive.set_aside,
            archive.bring_back,
            archive.find_reply,
            archive.read_blob,
            archive.read_transcript,
            directory.conditions,
            directory.find_by_skill,
            judging.judge,
            keeping.check_team,
            keeping.keep_text,
            keeping.keep_replies,
            keeping.find_task_reply,
            using.use_memory,
            *host.activities,
        ],
        deployment_config=deployment_config(settings.build_id),
        max_cached_workflows=settings.agents_cached,
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(2 * _POLLS),
        nonsticky_to_sticky_poll_ratio=0.5,
        sticky_queue_schedule_to_start_timeout=_STICKY,
        graceful_shutdown_timeout=_DRAIN,
        max_heartbeat_throttle_interval=_HEARTBEATS,
        default_heartbeat_throttle_interval=_HEARTBEATS,
    )


def app_worker(client: Client, app: App, store: BlobStore) -> Worker:
    """Return the worker that serves an application's tools, not started."""
    host = ToolHost(app.tools, app.task_queue, store)
    return Worker(
        client,
        task_queue=app.task_queue,
        activities=host.activities,
        # It asks for no version. Without a name Temporal's SDK would read the code of all modules to make one up, which
        # takes a second and more.
        build_id=build_of(),
        graceful_shutdown_timeout=_DRAIN,
    )
