"""What a team shows of itself and of its tasks: the results of its queries."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from aos.conversation import Usage

TaskStatus = Literal["waiting", "working", "done", "failed", "cancelled"]
"""`done`: it ended as it should, for `stop_reason`. `failed`: it could not go on."""

MemberCondition = Literal["starting", "ready", "gone"]


class TaskLine(BaseModel):
    """One thing said in a task: the task itself, by `user`, or what a member said. `ref` names a long text whole."""

    source: str
    text: str
    ref: str = ""
    handoff: str = ""
    called: list[str] = Field(default_factory=list[str])
    usage: Usage = Field(default_factory=Usage)
    at: datetime | None = None


class TaskView(BaseModel):
    """A task in one look. `spent` is in US dollars; `speaking` are the members that are waited for."""

    id: str
    team: str
    status: TaskStatus
    text: str
    """What was asked, as a preview."""
    result: str = ""
    """What came of it, as a preview."""
    stop_reason: str = ""
    messages: int = 0
    turns: int = 0
    speaking: list[str] = Field(default_factory=list[str])
    spent: float = 0.0
    tokens: int = 0
    asked_by: str = ""
    began: datetime
    ended: datetime | None = None
    deadline: datetime | None = None


class TaskReport(BaseModel):
    """A task with the newest of what was said in it. `older` names what was said before, in the store."""

    task: TaskView
    result: str = ""
    result_ref: str = ""
    output: JsonValue = None
    lines: list[TaskLine] = Field(default_factory=list[TaskLine])
    older: str = ""
    ledger: JsonValue = None
    """What the strategy keeps: a planner's ledgers, a graph's open edges."""


class TaskList(BaseModel):
    """The tasks of a team, the newest last. `count` is that of its whole life."""

    count: int
    tasks: list[TaskView]


class MemberView(BaseModel):
    """A member in one look."""

    name: str
    address: str
    role: str
    skills: list[str]
    condition: MemberCondition
    child: bool
    turns: int = 0
    waiting_for: int = 0
    """Answers that the team waits for from it."""


class TeamStatus(BaseModel):
    """How a team is, in one look: the result of the query `status`."""

    name: str
    condition: Literal["starting", "waiting", "working", "paused", "stopping", "stopped", "refused"]
    doing: str
    purpose: str
    version: str
    strategy: str
    members: list[MemberView]
    tasks_open: int
    tasks_done: int
    tasks_failed: int
    dead_letters: int
    rollovers: int
    started: datetime
    spent: float = 0.0


class TeamFarewell(BaseModel):
    """What a team leaves behind when it is stopped: the result of its workflow."""

    name: str
    reason: str
    tasks_done: int
    tasks_failed: int
    unfinished: list[str] = Field(default_factory=list[str])
    """Ids of the tasks that were still open."""
    left_alive: list[str] = Field(default_factory=list[str])
    """Addresses of children that live on."""
