"""The one object that holds everything a team is: what a handler touches, and what crosses a rollover."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field, JsonValue

from aos.team_spec import Member, TeamSpec
from aos.team_views import MemberCondition
from aos.tool_contracts import ToolPolicy
from aos.wire import Wire
from aos_workflows.dead import Dead
from aos_workflows.mailbox import Mailbox
from aos_workflows.outbox import Outbox, Outgoing
from aos_workflows.replies import ReplyBook
from aos_workflows.team.finished import Finished
from aos_workflows.team.task import Task, task_node
from aos_workflows.waits import Waits

SCHEMA_VERSION = 1

DEAD_BYTES = 4 * 1024

RETRY_GONE = 60.0
"""After how long a member that was gone is turned to again, in seconds."""

DEATHS = 3
"""How often a child may die one after the other without an answer before it is given up for a while."""


class Standing(Wire):
    """How a member stands. `gone_since` is in seconds since 1970. `deaths`: since it answered last."""

    condition: MemberCondition = "ready"
    turns: int = 0
    load: int = 0
    gone_since: float = 0.0
    why: str = ""
    deaths: int = 0


class TeamState(Dead):
    """Everything a team is.

    `standing` is by member, `tasks` by id in the order in which they began. `held` is what waits for a child to be
    started. `left` are addresses of children that left the team, `alive` those of them that live on.
    """

    schema_version: int = SCHEMA_VERSION
    spec: TeamSpec
    life: str
    started: float
    ready: bool = False
    search_attributes: bool = False
    tools: dict[str, ToolPolicy] = Field(default_factory=dict[str, ToolPolicy])
    standing: dict[str, Standing] = Field(default_factory=dict[str, Standing])
    mailbox: Mailbox = Field(default_factory=Mailbox)
    tasks: dict[str, Task] = Field(default_factory=dict[str, Task])
    finished: list[Finished] = Field(default_factory=list[Finished])
    older: str = ""
    replies: ReplyBook = Field(default_factory=ReplyBook)
    outbox: Outbox = Field(default_factory=Outbox)
    held: list[Outgoing] = Field(default_factory=list[Outgoing])
    waits: Waits = Field(default_factory=Waits)
    left: list[str] = Field(default_factory=list[str])
    alive: list[str] = Field(default_factory=list[str])
    paused: bool = False
    stop_reason: str = ""
    pace: float = 0.0
    """Seconds in which a task was over lately, one after the other."""
    tasks_done: int = 0
    tasks_failed: int = 0
    spent: int = 0
    """In millionths of a US dollar, for tasks that are over."""
    rollovers: int = 0

    @property
    def address(self) -> str:
        """The team's own address."""
        return f"team/{self.spec.name}"

    def member(self, name: str) -> Member | None:
        """Return the member of that name."""
        return self.spec.by_name.get(name)

    def standing_of(self, name: str) -> Standing:
        """Return how a member stands."""
        if (standing := self.standing.get(name)) is None:
            standing = self.standing[name] = Standing()
        return standing

    def is_gone(self, member: Member, now: float) -> bool:
        """Whether a member is not worth turning to. A child is, which is started again, unless it keeps dying."""
        standing = self.standing_of(member.name)
        if member.is_child and standing.deaths < DEATHS:
            return False
        return standing.condition == "gone" and now < standing.gone_since + RETRY_GONE

    def node_of(self, task: str) -> str:
        """Return the node of a task among those who wait for each other.

        One that waits for the only place of the team waits as long as the task that has it.
        """
        if self.spec.max_tasks == 1 and self.tasks and task not in self.tasks:
            return next(iter(self.tasks.values())).node
        return task_node(self.spec.name, task)

    def is_busy_with(self, task: str) -> bool:
        """Whether a task waits here or is being worked on."""
        return task in self.tasks or self.mailbox.holds(task)

    def may_hold(self, task: str) -> bool:
        """Whether a task waits, here or perhaps in the store, or is being worked on."""
        return self.is_busy_with(task) or bool(self.mailbox.aside)

    def hold(self, to: str, message: JsonValue) -> None:
        """Keep a message to a child until it is started."""
        self.held.append(Outgoing(to=to, signal="send", body=message))

    @property
    def dead_bytes(self) -> int:
        """Most bytes of dead letters that cross a rollover."""
        return DEAD_BYTES


State = dict[str, Any]

MIGRATIONS: dict[int, Callable[[State], State]] = {}
"""From a version of the state to the next one; see `aos_workflows.migrations`."""


class UnknownTeamSchema(ValueError):
    """A state that a later version of AOS wrote."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"this team's state has schema {version}, these workers know up to {SCHEMA_VERSION}; "
            "a newer AOS wrote it, so run its workers"
        )


def dump_team(state: TeamState) -> State:
    """Return `state` as the JSON object that crosses a rollover."""
    return {"schema_version": state.schema_version, **state.model_dump(mode="json")}


def load_team(data: State) -> TeamState:
    """Return the state in `data`, whichever version wrote it.

    Raises:
        UnknownTeamSchema: A later version wrote it.
    """
    version = int(data.get("schema_version", SCHEMA_VERSION))
    if version > SCHEMA_VERSION:
        raise UnknownTeamSchema(version)
    while version < SCHEMA_VERSION:
        data = MIGRATIONS[version](data)
        version += 1
    return TeamState.model_validate({**data, "schema_version": SCHEMA_VERSION})
