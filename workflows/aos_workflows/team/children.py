"""The children of a team: started, adopted where they live already, started again when they died, let go of."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError, is_cancelled_exception
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

from aos.control import Stop
from aos.limits import clip
from aos.names import AGENT_WORKFLOW, TASK_TIMEOUT, TEAM_WORKFLOW
from aos.team_spec import Member
from aos_workflows.team.roster import equipped
from aos_workflows.team.state import DEATHS, RETRY_GONE, TeamState

AT_ONCE = 100
"""Children that are being started at a time."""

_TEAM = SearchAttributeKey.for_keyword("AosTeam")
_KIND = SearchAttributeKey.for_keyword("AosKind")


class Children:
    """Keeps the members that are born with the team alive.

    Args:
        state: The team.
        started: Is told of a member that is there now.
        died: Is told of a member that ended, or could not be started, and why.
    """

    def __init__(self, state: TeamState, started: Callable[[Member], None], died: Callable[[str, str], None]) -> None:
        self._state = state
        self._started = started
        self._died = died
        self._queue: deque[Member] = deque()
        self._starting = 0

    @property
    def busy(self) -> bool:
        """Whether children are being started."""
        return bool(self._starting or self._queue)

    def start(self, member: Member) -> None:
        """Begin to start the child that a member is; return at once."""
        self._state.standing_of(member.name).condition = "starting"
        self._queue.append(member)
        self._begin()

    def _begin(self) -> None:
        while self._queue and self._starting < AT_ONCE:
            self._starting += 1
            asyncio.create_task(self._start(self._queue.popleft()))  # noqa: RUF006 - the workflow's loop keeps it

    async def _start(self, member: Member) -> None:
        state = self._state
        try:
            handle = await self._start_workflow(member)
        except WorkflowAlreadyStartedError:
            handle = None  # It outlived another run or life of the team, and is taken in.
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            self._ended(member, f"it could not be started: {error}")
            return
        finally:
            self._starting -= 1
            self._begin()
        if state.member(member.name) != member:
            self.let_go(member.where, keep=member.where in state.alive)  # It was replaced or removed meanwhile.
        else:
            state.standing_of(member.name).condition = "ready"
            self._started(member)
        if handle is not None:
            await self._watch(member, handle)

    async def _start_workflow(self, member: Member) -> ChildWorkflowHandle[object, object]:
        born = equipped(self._state.spec, member)
        body = born.agent or born.team
        assert body is not None
        kind = "agent" if member.agent else "team"
        team = self._state.spec.name
        attributes = [SearchAttributePair(_TEAM, team), SearchAttributePair(_KIND, kind)]
        return await workflow.start_child_workflow(
            AGENT_WORKFLOW if member.agent else TEAM_WORKFLOW,
            body.model_dump(mode="json"),
            id=member.where,
            parent_close_policy=ParentClosePolicy.ABANDON,
            task_timeout=TASK_TIMEOUT,
            memo={"AosTeam": team},
            search_attributes=TypedSearchAttributes(attributes) if self._state.search_attributes else None,
            static_summary=clip(f"{member.name} of the team {team}"),
        )

    async def _watch(self, member: Member, handle: ChildWorkflowHandle[object, object]) -> None:
        try:
            await handle
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            self._ended(member, f"it ended: {clip(str(error.cause or error))}")
        else:
            self._ended(member, "it was stopped")

    def _ended(self, member: Member, reason: str) -> None:
        state = self._state
        if state.stop_reason or state.member(member.name) != member:
            return
        self.is_gone(member.name, reason)
        self._died(member.name, reason)

    def is_gone(self, name: str, reason: str) -> None:
        """Note that a member is not there."""
        standing = self._state.standing_of(name)
        standing.deaths += standing.condition != "gone"
        standing.condition, standing.why, standing.gone_since = "gone", clip(reason, 300), workflow.time()

    def revive(self, member: Member) -> bool:
        """Begin to start a child again that is gone and needed. Return whether there is hope."""
        standing = self._state.standing_of(member.name)
        tired = standing.deaths >= DEATHS and workflow.time() < standing.gone_since + RETRY_GONE
        if not member.is_child or tired:
            return False
        if standing.condition != "starting":
            self.start(member)
        return True

    def let_go(self, address: str, *, keep: bool) -> None:
        """Have a child that left the team end, or live on."""
        state = self._state
        if address not in state.left:
            state.left.append(address)
            del state.left[:-1000]
        if keep:
            if address not in state.alive:
                state.alive.append(address)
            return
        reason = f"no longer in the team {state.spec.name}"
        state.outbox.put(address, "stop", Stop(reason=reason).model_dump(mode="json"))
