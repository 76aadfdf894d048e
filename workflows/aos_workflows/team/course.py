"""How a strategy goes about one task: what the team's workflow and the strategies say to each other.

A course is pure and keeps what it knows in its own fields, so that it crosses rollovers with the task. The workflow
tells it what happened, and it answers with the next move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import Field, JsonValue

from aos.conversation import Usage
from aos.wire import Wire

USER = "user"
"""Source of the task itself."""


class Said(Wire):
    """One thing said in a task: the task itself, by `USER`, or what a member answered.

    `handoff` names whom the member handed on to. `stop`: it said that the task is done. `called` are the tools that it
    called, in order. `at` is in seconds since 1970. `ref` names the whole text in the store where `text` is its start.
    """

    source: str
    text: str = ""
    ref: str = ""
    handoff: str = ""
    stop: bool = False
    called: list[str] = Field(default_factory=list[str])
    usage: Usage = Field(default_factory=Usage)
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Card:
    """A member as a strategy sees it. `load` is how many answers are waited for from it, by whomever."""

    name: str
    role: str = ""
    skills: tuple[str, ...] = ()
    load: int = 0
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Speak:
    """Have these members speak, side by side. `told` is what they are told besides what was said since their last turn.

    `alone`: they are told nothing else, as when several work on the task independently. Instead of a member's name
    there may be the address of an agent outside of the team, which a consultation of kind `agents` has found.
    """

    members: tuple[str, ...]
    told: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Consult:
    """Ask a model, or a function of an application, and say what it answered by `Course.consulted`.

    For a model: `prompt` is what it is asked, `system` what stands before, `schema` the JSON schema of the answer.
    For a function: `tool` is its name as `app/tool`, and `arguments` what it is called with. For `agents`: which agents
    outside of the team have `skill`; the answer's `output` is the list of their addresses, those first that are best.
    `for_turn`: it only says who speaks next, so that nobody needs it where no turn is left. One consultation is under
    way at a time.
    """

    kind: Literal["model", "function", "agents"]
    models: tuple[str, ...] = ()
    system: str = ""
    prompt: str = ""
    schema: dict[str, Any] | None = None
    tool: str = ""
    arguments: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    skill: str = ""
    for_turn: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """The task is over. `text` is its result; None: what was said last. `failed`: it could not be done.

    `ref` names the whole result in the store where `text` is its start.
    """

    reason: str
    text: str | None = None
    failed: bool = False
    ref: str = ""


Move = Speak | Consult | Finish


class Answer(Wire):
    """What a consultation came to. `error` says why there is none."""

    text: str = ""
    output: JsonValue = None
    error: str = ""
    usage: Usage = Field(default_factory=Usage)


class Course(Protocol):
    """How a strategy goes about one task.

    `None` for a move means: wait for the members that still speak, or for the consultation. While somebody speaks no
    `Speak` for the same member is answered. Of each who is to speak, one call of `heard` or `lost` tells what came of
    it. Every method sees the members as they are then: the roster may have changed since.
    """

    def begin(self, task: Said, cards: Sequence[Card]) -> Move:
        """The task is new."""
        ...

    def heard(self, said: Said, cards: Sequence[Card]) -> Move | None:
        """A member has spoken, and the task is not over."""
        ...

    def lost(self, member: str, reason: str, cards: Sequence[Card]) -> Move | None:
        """A member that was to speak cannot: it died, failed, took too long, or left the team."""
        ...

    def consulted(self, answer: Answer, cards: Sequence[Card]) -> Move | None:
        """What a consultation came to."""
        ...

    def ledger(self) -> dict[str, JsonValue]:
        """Return what people are shown of how the task goes, besides what was said."""
        ...
