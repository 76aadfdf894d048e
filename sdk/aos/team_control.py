"""What steers a living team: the arguments of its updates besides messages, which are its tasks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from aos.message import MESSAGE_ID_CHARS
from aos.names import Name
from aos.strategy import Strategy
from aos.team_spec import Member
from aos.termination import Termination
from aos.wire import Contract


class RosterChanges(Contract):
    """Changes to who is in a team: the argument of the update `change_members`. They count from the next turn on.

    `add`: new members. `remove`: names; a child that is removed is stopped, unless `keep`. `replace`: new members in
    the places of those of the same name. `roles`: new roles by name.
    """

    add: list[Member] = Field(default_factory=list[Member], max_length=1000)
    remove: list[Name] = Field(default_factory=list[Name], max_length=1000)
    replace: list[Member] = Field(default_factory=list[Member], max_length=1000)
    roles: dict[Name, Annotated[str, Field(max_length=2000)]] = Field(default_factory=dict[Name, str])
    keep: bool = False
    """Let children that leave live on, on their own."""

    @model_validator(mode="after")
    def _something(self) -> RosterChanges:
        if not (self.add or self.remove or self.replace or self.roles):
            raise ValueError("give add, remove, replace or roles")
        return self


class TeamChanges(Contract):
    """Fields of a team's spec that change while it lives: the argument of the update `configure`.

    Tasks under way keep the strategy and the termination that they began with.
    """

    purpose: Annotated[str, Field(max_length=20_000)] | None = None
    strategy: Strategy | None = None
    termination: Termination | None = None
    version: Annotated[str, Field(max_length=100)] | None = None
    max_turns: Annotated[int, Field(ge=1, le=100_000)] | None = None
    mailbox_limit: Annotated[int, Field(ge=1)] | None = None
    patience: Annotated[float, Field(gt=0)] | None = None


class EndTask(Contract):
    """Ends a task before it is over: the argument of the update `end_task`.

    `how`: `cancel` for one that is not wanted any more; `finish` takes what there is as its result.
    """

    id: Annotated[str, Field(min_length=1, max_length=MESSAGE_ID_CHARS)]
    how: Literal["cancel", "finish"] = "cancel"
    reason: Annotated[str, Field(max_length=500)] = "ended on request"


class TaskLookup(Contract):
    """Names one task: the argument of the query `task`."""

    id: Annotated[str, Field(min_length=1, max_length=MESSAGE_ID_CHARS)]
