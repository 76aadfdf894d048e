"""How a team works on a task: who speaks next, as data."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from aos.names import Name, check_name
from aos.spec import ModelName, ToolName
from aos.wire import Compact, Contract

MOST_MEMBERS = 1000
"""Most members of one team. A team may be a member of a team, so there is no limit to how many agents work together."""


FUNCTION = "tool:"
"""What a condition of an edge begins with that is a function of an application."""


def _type_needed(schema: dict[str, Any]) -> None:
    schema["required"] = ["type", *schema.get("required", [])]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) and value else (value or [])


Models = Annotated[list[ModelName], BeforeValidator(_as_list, json_schema_input_type=list[ModelName] | ModelName)]


class _Strategy(Contract, Compact):
    model_config: ClassVar[ConfigDict] = ConfigDict(json_schema_extra=_type_needed)


class RoundRobin(_Strategy):
    """Each member in turn, in the order of the roster. A task begins with the first.

    Without a termination it ends after a round.
    """

    type: Literal["round_robin"] = "round_robin"


class Selector(_Strategy):
    """A model, or a function of an application, says who speaks next.

    `prompt` may have `{roles}`, `{participants}` and `{history}` in it. `function` is a tool that takes `messages`,
    each an object with `source` and `text`, and `participants`; it answers with a name, or with nothing to let the
    model choose. `candidates` is a tool that takes the same and answers with the names that the model chooses among.
    `allow_repeats`: the one who spoke last may be chosen again. `attempts`: how often the model is asked that names
    nobody, or several; after that the one who spoke last goes on, or the first. Without a termination there are as many
    turns as members.
    """

    type: Literal["selector"] = "selector"
    model: Models = Field(default_factory=list[ModelName], max_length=8)
    prompt: Annotated[str, Field(max_length=20_000)] = ""
    function: ToolName | Literal[""] = ""
    candidates: ToolName | Literal[""] = ""
    allow_repeats: bool = False
    attempts: Annotated[int, Field(ge=1, le=10)] = 3


class Swarm(_Strategy):
    """Whoever speaks says who is next, with the tool `handoff`; without it the same goes on. The first begins.

    A task may say who begins, in its `data` part called `handoff`: so it goes on after it was handed on to a user.

    Without a termination the task ends when somebody speaks and hands on to nobody, or to somebody outside of the team.
    """

    type: Literal["swarm"] = "swarm"


class Edge(Contract, Compact):
    """From one member of a graph to another.

    `condition`: a text that must be in what `source` said; or `tool:app/name`, a function of an application that takes
    `text` and answers `true`. Edges into one member are of one or more `group`s: a group is complete when `all` of its
    edges were taken, or `any`; the member speaks when one of its groups is complete.
    """

    source: Name
    target: Name
    condition: Annotated[str, Field(max_length=1000)] = ""
    group: Annotated[str, Field(max_length=100)] = ""
    when: Literal["all", "any"] = "all"

    @field_validator("condition")
    @classmethod
    def _names_a_tool(cls, condition: str) -> str:
        if condition.startswith(FUNCTION):
            for part in condition.removeprefix(FUNCTION).split("/", 1):
                check_name(part)
        return condition


class Graph(_Strategy):
    """Members speak along edges, several at once where edges part; a member with several edges into it joins them.

    Those without an edge into them begin, or `start`. Who is next is seen when all who speak at once have spoken. The
    task ends when nobody is left to speak.
    """

    type: Literal["graph"] = "graph"
    edges: Annotated[list[Edge], Field(max_length=10_000)]
    start: list[Name] = Field(default_factory=list[Name], max_length=MOST_MEMBERS)

    @model_validator(mode="after")
    def _groups_agree(self) -> Graph:
        whens: dict[tuple[str, str], str] = {}
        for edge in self.edges:
            if whens.setdefault((edge.target, edge.group), edge.when) != edge.when:
                raise ValueError(
                    f"edges: those into {edge.target!r} of group {edge.group!r} say both all and any; "
                    "give them one `when`, or groups of their own"
                )
        return self


class Planner(_Strategy):
    """A model keeps a task ledger (facts, plan) and, after each message, a progress ledger that says who is next.

    After `max_stalls` messages without progress it plans anew; after `max_plans` plans it gives the task up with what
    there is. At the end the model writes the answer.
    """

    type: Literal["planner"] = "planner"
    model: Models = Field(default_factory=list[ModelName], max_length=8)
    max_stalls: Annotated[int, Field(ge=1, le=100)] = 3
    max_plans: Annotated[int, Field(ge=1, le=100)] = 5


class Arbiter(Contract, Compact):
    """Who says which of several answers holds that contradict each other.

    `by`: `rule` asks the tool `function`, which takes `task`, `purpose` and `answers`, each an object with `number`,
    `text` and `sources`, and answers with a number, or with an object with `number` and `reason`. `vote` has the
    members choose among the answers. `model` has a model judge by the purpose of the team, `member` the member of that
    name. Where an arbiter gives no ruling, the answer holds that most gave.
    """

    by: Literal["rule", "vote", "model", "member"] = "model"
    function: ToolName | Literal[""] = ""
    model: Models = Field(default_factory=list[ModelName], max_length=8)
    member: Name | Literal[""] = ""

    @model_validator(mode="after")
    def _arbiter_named(self) -> Arbiter:
        if (self.by == "rule") != bool(self.function):
            raise ValueError("function: name the tool that rules, with by: rule and only then")
        if (self.by == "member") != bool(self.member):
            raise ValueError("member: name the member that judges, with by: member and only then")
        if self.model and self.by != "model":
            raise ValueError("model: it judges with by: model only")
        return self


class Broadcast(_Strategy):
    """All members work on the task at once; what they said is merged.

    `merge`: `list` puts the answers one below the other; `vote` takes the answer that most gave; `first` takes the
    first that comes and lets go of the rest; `member` has the member called `merger` write one out of all; `arbitrate`
    has `arbiter` choose where answers contradict each other: where they are not the same but for case and spaces.
    A merger, and a member that is the arbiter, does not work on the task itself, unless it is the only one.
    """

    type: Literal["broadcast"] = "broadcast"
    merge: Literal["list", "vote", "first", "member", "arbitrate"] = "list"
    merger: Name | Literal[""] = ""
    arbiter: Arbiter | None = None
    """For `arbitrate`; none: a model judges by the purpose of the team."""

    @model_validator(mode="after")
    def _merger_named(self) -> Broadcast:
        if (self.merge == "member") != bool(self.merger):
            raise ValueError("merger: name the member that merges, with merge: member and only then")
        if self.arbiter and self.merge != "arbitrate":
            raise ValueError("arbiter: it is for merge: arbitrate only")
        return self


class BySkill(_Strategy):
    """The member that has the skill which the task names, and least to do. Where one fails, the next takes it up.

    A task says what it needs in its `data` part called `skill`; `skill` is for tasks that do not. Without a member
    that has it, an agent outside the team is looked for.
    """

    type: Literal["by_skill"] = "by_skill"
    skill: Annotated[str, Field(max_length=100)] = ""


Strategy = Annotated[RoundRobin | Selector | Swarm | Graph | Planner | Broadcast | BySkill, Field(discriminator="type")]
