"""The team as data: who is in it, how they work on a task, and when that is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, cast

from pydantic import Field, field_serializer, model_validator

from aos.address import Address
from aos.duration import Duration
from aos.names import Name
from aos.spec import AgentSpec
from aos.strategy import MOST_MEMBERS, Arbiter, Broadcast, Graph, RoundRobin, Strategy
from aos.termination import Termination
from aos.wire import Contract, without_defaults


class Member(Contract):
    """One who is in a team: an agent or a team that is born with it, or one that lives already.

    `name` is what it is called in the team. `agent`: the spec of an agent that becomes the team's child; without a name
    of its own it gets the team's and the member's, as in `news.editor`. `team`: the same for a team. `address`: one
    that lives already, as `ada` or `team/desk`.
    """

    name: Name
    agent: AgentSpec | None = None
    team: TeamSpec | None = None
    address: Address | None = None
    role: Annotated[str, Field(max_length=2000)] = ""
    """What it is there for: others and selectors are told."""
    skills: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=list[str], max_length=64)

    @model_validator(mode="after")
    def _one_body(self) -> Member:
        if sum(body is not None for body in (self.agent, self.team, self.address)) != 1:
            raise ValueError("give one of agent, team and address")
        return self

    @field_serializer("agent", "team", when_used="json")
    def _short(self, spec: AgentSpec | TeamSpec | None) -> dict[str, Any] | None:
        """Leave out what has its default: a team carries the specs of all its members along."""
        return None if spec is None else without_defaults(spec)

    @property
    def where(self) -> str:
        """The address of the member."""
        if self.agent:
            return f"agent/{self.agent.name}"
        return f"team/{self.team.name}" if self.team else self.address or ""

    @property
    def is_child(self) -> bool:
        """Whether it is born with the team."""
        return self.address is None


class TeamSpec(Contract):
    """Everything that makes one team: a name and members are enough."""

    name: Name
    members: Annotated[list[Member], Field(min_length=1, max_length=MOST_MEMBERS)]
    purpose: Annotated[str, Field(max_length=20_000)] = ""
    """Why the team exists: members are told, planners and arbiters judge by it."""
    strategy: Strategy = RoundRobin()
    termination: Termination | None = None
    """When a task is over. Without one, after a round: each member has spoken once, or the strategy has ended."""
    version: Annotated[str, Field(max_length=100)] = "1"
    max_turns: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Turns of members for one task, at most: a condition that never holds ends here."""
    max_tasks: Annotated[int, Field(ge=1, le=1000)] = 20
    """Tasks that the team works on at once; others wait."""
    mailbox_limit: Annotated[int, Field(ge=1)] = 10_000
    """Waiting tasks from which on no more are taken in: who asks is told when to come back."""
    patience: Duration = 900.0
    """How long a member is waited for before it is passed over."""
    priority: Annotated[int, Field(ge=1, le=5)] = 3
    """How important the purpose is, 1 most: who gives way when two wait for each other."""
    rollover_events: Annotated[int, Field(ge=50, le=20_000)] = 2_000

    @model_validator(mode="before")
    @classmethod
    def _name_children(cls, given: Any) -> Any:
        return _named(cast("dict[str, Any]", given)) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _fits_together(self) -> TeamSpec:
        names = Counter(member.name for member in self.members)
        if twice := sorted(name for name, count in names.items() if count > 1):
            raise ValueError(f"members: there are two called {', '.join(twice)}")
        for problem in self._strategy_problems(set(names)):
            raise ValueError(f"strategy: {problem}")
        return self

    @cached_property
    def by_name(self) -> dict[str, Member]:
        """The members by what they are called in the team."""
        return {member.name: member for member in self.members}

    def _strategy_problems(self, names: set[str]) -> Iterator[str]:
        match self.strategy:
            case Graph() as graph:
                for edge in graph.edges:
                    for name in (edge.source, edge.target):
                        if name not in names:
                            yield f"an edge names {name!r}, which is no member; there are {', '.join(sorted(names))}"
                for name in graph.start:
                    if name not in names:
                        yield f"start names {name!r}, which is no member; there are {', '.join(sorted(names))}"
                if not graph.start and not names - {edge.target for edge in graph.edges}:
                    yield "the graph has no start: every member has an edge into it; name some in start"
            case Broadcast(merger=merger) if merger and merger not in names:
                yield f"merger names {merger!r}, which is no member; there are {', '.join(sorted(names))}"
            case Broadcast(arbiter=Arbiter(member=member)) if member and member not in names:
                yield f"arbiter names {member!r}, which is no member; there are {', '.join(sorted(names))}"
            case _:
                return


def _named(given: dict[str, Any]) -> dict[str, Any]:
    """Return a team whose children that have no name yet carry its name and theirs in it, as `news.editor`."""
    team, members = given.get("name"), given.get("members")
    if not isinstance(team, str) or not isinstance(members, list):
        return given
    return {**given, "members": [_member_named(team, member) for member in cast("list[Any]", members)]}


def _member_named(team: str, given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    member = cast("dict[str, Any]", given)
    if not isinstance(member.get("name"), str):
        return member
    for body in ("agent", "team"):
        if isinstance(child := member.get(body), dict):
            member = {**member, body: {"name": f"{team}.{member['name']}", **cast("dict[str, Any]", child)}}
    return member


Member.model_rebuild()
