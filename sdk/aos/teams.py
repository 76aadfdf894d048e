"""Teams, from the Python client: start them, change who is in them, look at their tasks.

A task is a message to the team's address: `await client.ask("team/news", "Write about the harbour.")`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from pydantic import BaseModel
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from aos.address import full_address, kind_of
from aos.connection import Passing, once, retrying
from aos.control import Stop
from aos.errors import InvalidInput, TeamExists, Unreachable
from aos.limits import SPEC_BYTES, clip
from aos.names import TASK_QUEUE, TASK_TIMEOUT, TEAM_WORKFLOW
from aos.reading import check_size, read_object
from aos.team_control import EndTask, RosterChanges, TaskLookup, TeamChanges
from aos.team_spec import TeamSpec
from aos.team_views import TaskList, TaskReport, TaskView, TeamFarewell, TeamStatus

R = TypeVar("R")
M = TypeVar("M", bound=BaseModel)

_ATTEMPT = timedelta(seconds=10)
_UPDATE = timedelta(seconds=90)
_SUMMARY_CHARS = 100


class Teams:
    """The teams on a Temporal server; an `AosClient` has it as `teams`. Teams are named bare, as in `news`."""

    def __init__(self, temporal: Client) -> None:
        """Use a Temporal client that has `AosPlugin` among its plugins."""
        self._temporal = temporal

    async def start(self, spec: TeamSpec | Mapping[str, object]) -> TeamSpec:
        """Start a team, and with it the members that are born with it.

        Raises:
            InvalidInput: The spec does not fit.
            TeamExists: A team of that name is alive.
        """
        read = spec if isinstance(spec, TeamSpec) else read_object(TeamSpec, "team", spec)
        check_size("team", read, SPEC_BYTES)
        address = f"team/{read.name}"
        starting = self._temporal.start_workflow(
            TEAM_WORKFLOW,
            read,
            id=address,
            task_queue=TASK_QUEUE,
            task_timeout=TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=clip(read.purpose, _SUMMARY_CHARS) or None,
        )
        try:
            await once(address, starting)
        except WorkflowAlreadyStartedError:
            raise TeamExists(address) from None
        except Passing as error:
            raise Unreachable("the address in use", str(error)) from error
        return read

    async def stop(self, name: str, how: Stop | None = None) -> TeamFarewell:
        """End a team and the members that were born with it, and return what it leaves behind."""
        handle, wanted = self._handle(name), how or Stop()
        await retrying(handle.id, lambda: handle.signal("stop", wanted, rpc_timeout=_ATTEMPT))
        result = self._temporal.get_workflow_handle(handle.id, result_type=TeamFarewell)
        return await retrying(handle.id, result.result)

    async def pause(self, name: str) -> None:
        """Have a team begin no more turns until it is resumed."""
        handle = self._handle(name)
        await retrying(handle.id, lambda: handle.signal("pause", rpc_timeout=_ATTEMPT))

    async def resume(self, name: str) -> None:
        """Have a paused team go on."""
        handle = self._handle(name)
        await retrying(handle.id, lambda: handle.signal("resume", rpc_timeout=_ATTEMPT))

    async def change_members(self, name: str, changes: RosterChanges | Mapping[str, object]) -> TeamSpec:
        """Add, remove and replace members, or change their roles, from the next turn on; return the whole spec.

        Raises:
            InvalidInput: The changed team does not fit; nothing was changed.
        """
        given = changes.model_dump(mode="json") if isinstance(changes, RosterChanges) else dict(changes)
        # The team reads them: it knows the names that new children get.
        return await self._update(name, "change_members", TeamSpec, given)

    async def configure(self, name: str, changes: TeamChanges | Mapping[str, object]) -> TeamSpec:
        """Change fields of a team's spec, and return it whole. Tasks under way keep what they began with.

        Raises:
            InvalidInput: The changed spec does not fit, or the workers cannot run it; nothing was changed.
        """
        return await self._update(name, "configure", TeamSpec, _read(TeamChanges, "changes", changes))

    async def status(self, name: str) -> TeamStatus:
        """Return how a team is, and its members."""
        return await self._query(name, "status", TeamStatus)

    async def spec(self, name: str) -> TeamSpec:
        """Return a team's spec as it is now."""
        return await self._query(name, "spec", TeamSpec)

    async def tasks(self, name: str) -> TaskList:
        """Return the tasks of a team: those that are open, and the newest of those that are over."""
        return await self._query(name, "tasks", TaskList)

    async def task(self, name: str, task: str) -> TaskReport:
        """Return a task by its id, with the newest of what was said in it.

        Raises:
            InvalidInput: The team does not know it, or not any more.
        """
        return await self._query(name, "task", TaskReport, TaskLookup(id=task))

    async def end_task(self, name: str, wanted: EndTask | Mapping[str, object]) -> TaskView:
        """End a task before it is over, and return how it ended."""
        return await self._update(name, "end_task", TaskView, _read(EndTask, "end_task", wanted))

    async def names(self) -> list[str]:
        """Return the names of the teams that are alive."""
        query = f"WorkflowType = '{TEAM_WORKFLOW}' AND ExecutionStatus = 'Running'"

        async def attempt() -> list[str]:
            return [execution.id.partition("/")[2] async for execution in self._temporal.list_workflows(query)]

        return sorted(await retrying("", attempt))

    async def _update(self, name: str, update: str, result: type[R], given: object) -> R:
        handle, update_id = self._handle(name), f"{update}-{uuid4()}"

        async def attempt() -> R:
            return await handle.execute_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
                update, given, id=update_id, result_type=result, rpc_timeout=_UPDATE
            )

        return await retrying(handle.id, attempt)

    async def _query(self, name: str, query: str, result: type[R], *given: object) -> R:
        handle = self._handle(name)

        async def attempt() -> R:
            return await handle.query(query, *given, result_type=result, rpc_timeout=_ATTEMPT)

        return await retrying(handle.id, attempt)

    def _handle(self, name: str) -> WorkflowHandle[Any, Any]:
        address = name if "/" in name else f"team/{name}"
        if kind_of(full_address(address)) != "team":
            raise InvalidInput("team", [f"{name!r} is no team; write its name, or team/NAME"])
        return self._temporal.get_workflow_handle(address)


def _read(model: type[M], what: str, given: M | Mapping[str, object]) -> M:
    return given if isinstance(given, model) else read_object(model, what, dict(given))  # pyright: ignore[reportArgumentType] - a model is no mapping
