"""The activities of a simulated world: AOS's own, over a store in memory; tools leave their effects in a ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar, cast

from google.protobuf.message import Message as Proto
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from aos.provider import ToolSchema
from aos.store import ref_of
from aos.tool_contracts import ToolDescription, ToolOutcome, ToolPolicy, ToolRequest
from aos_activities.archive import ArchiveActivities, FindReply, Page
from aos_activities.compaction import CompactionActivities, CompactRequest, ReplantRequest
from aos_activities.conversations import Conversations
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_activities.programs import PrepareAgent, ProgramActivities
from aos_activities.think import ThinkActivities, ThinkRequest, step_link
from simulation.model import SimulatedModel
from simulation.run import CONVERTER
from simulation.store import Fuse, MemoryStore
from simulation.truth import Broken, Truth

T = TypeVar("T")

_NO_PARAMETERS: dict[str, Any] = {"type": "object"}
TOOLS = [
    ToolDescription(
        definition=ToolSchema(name="hammer", description="Hit a nail.", parameters=_NO_PARAMETERS),
        policy=ToolPolicy(queue="tools"),
    ),
    ToolDescription(
        definition=ToolSchema(name="set_timer", description="Set a timer.", parameters=_NO_PARAMETERS),
        policy=ToolPolicy(queue="", kernel=True),
    ),
]
_UNUSED = SqliteMemory(Path("never made"))
_TOOL_FAILS, _TOOL_IS_LONG = 0.1, 0.1


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns that never waits."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    raise Broken("an activity waits for something that the simulation does not have")


class Activities:
    """A worker's activities. A new worker knows what is in the store, and nothing else."""

    def __init__(self, store: MemoryStore, model: SimulatedModel, chance: Random, truth: Truth, fuse: Fuse) -> None:
        self.effects: Counter[str] = Counter()
        self._store = store
        self._model = model
        self._chance = chance
        self._truth = truth
        self._fuse = fuse
        self._environment = ActivityEnvironment()
        self.restart()

    def restart(self) -> None:
        """Begin as a new worker."""
        store, registry = self._store, ProviderRegistry([self._model], ["sim:default"])
        self.conversations = Conversations(store, cached=2)
        archive = ArchiveActivities(store, self.conversations)
        self._think = ThinkActivities(store, registry, self.conversations, _UNUSED)
        self._compaction = CompactionActivities(store, registry, self.conversations)
        self._by_type: dict[str, tuple[Any, type]] = {
            "compact": (self._compaction.compact, CompactRequest),
            "replant": (self._compaction.replant, ReplantRequest),
            "prepare_agent": (ProgramActivities(store, registry, TOOLS).prepare_agent, PrepareAgent),
            "set_aside": (archive.set_aside, Page),
            "bring_back": (archive.bring_back, str),
            "find_reply": (archive.find_reply, FindReply),
            "run_tool": (self._tool, ToolRequest),
            "think": (self._thought, ThinkRequest),
        }

    def attempt(self, kind: str, argument: Payload, number: int = 1) -> Payload:
        """Carry out an attempt, the first unless `number` says otherwise, and return its result.

        Raises:
            ApplicationError: It failed.
            WorkerLost: The worker died during it.
        """
        work, wanted = self._by_type[kind]
        self._environment.info = replace(self._environment.info, attempt=number)
        given = cast("object", CONVERTER.from_payload(argument, wanted))
        return CONVERTER.to_payload(self._environment.run(lambda: at_once(work(given))))

    async def _thought(self, request: ThinkRequest) -> object:
        thought = await self._think.think(request)
        self._truth.stored_thought(step_link(request))
        return thought

    async def _tool(self, request: ToolRequest) -> ToolOutcome:
        self._fuse.burn()
        if self._chance.random() < _TOOL_FAILS and not self._model.calm:
            raise ApplicationError("the nail is bent", type="Bent")
        self.effects[request.key] = 1
        self._fuse.burn()
        text = f"hit {len(self.effects)}"
        if self._chance.random() > _TOOL_IS_LONG:
            return ToolOutcome(text=text)
        whole = (text + " and hit it again" * 150).encode()
        await self._store.save([whole])
        return ToolOutcome(text=text, ref=ref_of(whole), size=len(whole))


def failure_of(error: ApplicationError | None) -> Failure:
    """Return what a workflow is told of an activity that failed, or of one that took too long."""
    failure = Failure(message="Activity task failed")
    _set(failure.activity_failure_info)
    if error is None:
        failure.cause.message = "activity Heartbeat timeout"
        failure.cause.timeout_failure_info.timeout_type = TimeoutType.TIMEOUT_TYPE_HEARTBEAT
    else:
        failure.cause.message = error.message
        failure.cause.application_failure_info.type = error.type or ""
        failure.cause.application_failure_info.non_retryable = error.non_retryable
    return failure


def cancellation() -> Failure:
    """Return what a workflow is told of an activity that it has cancelled."""
    failure = Failure(message="Activity cancelled")
    _set(failure.activity_failure_info)
    failure.cause.message = "Cancelled"
    _set(failure.cause.canceled_failure_info)
    return failure


def _set(proto: Proto) -> None:
    proto.SetInParent()
