"""When a team's task is over: conditions as data, put together with `&` and `|`.

    MaxMessages(count=20) | (TextMention(text="APPROVED", sources=["critic"]) & MaxTokens(total=10_000))

In a file the same is `{type: any, of: [{type: max_messages, count: 20}, {type: all, of: [...]}]}`. Conditions are
looked at after each message of the task, the task itself being the first, and only at what came since the last look.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from aos.duration import Duration
from aos.spec import ToolName
from aos.wire import Compact, Contract

MOST_CONDITIONS = 100
"""Most conditions put together at one level."""


def _type_needed(schema: dict[str, Any]) -> None:
    schema["required"] = ["type", *schema.get("required", [])]


class Condition(Contract, Compact):
    """Base of the conditions: what `&` and `|` are defined on."""

    model_config: ClassVar[ConfigDict] = ConfigDict(json_schema_extra=_type_needed)

    def __or__(self, other: Condition) -> AnyOf:
        return AnyOf.model_validate({"of": [*_parts(self, AnyOf), *_parts(other, AnyOf)]})

    def __and__(self, other: Condition) -> AllOf:
        return AllOf.model_validate({"of": [*_parts(self, AllOf), *_parts(other, AllOf)]})


class AnyOf(Condition):
    """Holds when one of them holds."""

    type: Literal["any"] = "any"
    of: Annotated[list[Termination], Field(min_length=1, max_length=MOST_CONDITIONS)]


class AllOf(Condition):
    """Holds when each of them has held, be it at different times."""

    type: Literal["all"] = "all"
    of: Annotated[list[Termination], Field(min_length=1, max_length=MOST_CONDITIONS)]


class MaxMessages(Condition):
    """So many messages were said, the task itself among them."""

    type: Literal["max_messages"] = "max_messages"
    count: Annotated[int, Field(ge=1)]


class TextMention(Condition):
    """A message has the text in it. `sources`: only what these said counts; none: whoever said it."""

    type: Literal["text_mention"] = "text_mention"
    text: Annotated[str, Field(min_length=1, max_length=1000)]
    sources: list[str] = Field(default_factory=list[str], max_length=1000)


class TextMessage(Condition):
    """A member answered with a text. `source`: this one; none: whichever."""

    type: Literal["text_message"] = "text_message"
    source: str = ""


class StopMessage(Condition):
    """A member said that the task is done, with its tool `finish`."""

    type: Literal["stop_message"] = "stop_message"


class TokenUsage(Condition):
    """The members' model calls for the task took so many tokens. One limit at least is needed."""

    type: Literal["token_usage"] = "token_usage"
    total: Annotated[int, Field(ge=1)] | None = None
    input: Annotated[int, Field(ge=1)] | None = None
    output: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> TokenUsage:
        if self.total is None and self.input is None and self.output is None:
            raise ValueError("give total, input or output")
        return self


class Money(Condition):
    """The task cost so many US dollars."""

    type: Literal["money"] = "money"
    dollars: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Timeout(Condition):
    """So much time went by since the task began."""

    type: Literal["timeout"] = "timeout"
    after: Annotated[Duration, Field(gt=0)]


class Handoff(Condition):
    """A member handed the task on to `target`, for instance to `user`."""

    type: Literal["handoff"] = "handoff"
    target: Annotated[str, Field(min_length=1, max_length=200)]


class External(Condition):
    """Somebody ended the task from outside: `aos task cancel --finish`, or the update `finish_task`."""

    type: Literal["external"] = "external"


class Source(Condition):
    """One of `sources` said something."""

    type: Literal["source"] = "source"
    sources: Annotated[list[str], Field(min_length=1, max_length=1000)]


class FunctionCall(Condition):
    """A member called the tool called `function`."""

    type: Literal["function_call"] = "function_call"
    function: Annotated[str, Field(min_length=1, max_length=200)]


class Function(Condition):
    """A function of an application says so: a tool that takes `messages`, what was said since it was asked last.

    Each is an object with `source` and `text`. Its answer `true` ends the task.
    """

    type: Literal["function"] = "function"
    tool: ToolName


class NoProgress(Condition):
    """The last so many messages of members brought nothing new: each was said before, by whomever."""

    type: Literal["no_progress"] = "no_progress"
    messages: Annotated[int, Field(ge=2, le=1000)] = 4


Termination = Annotated[
    AnyOf
    | AllOf
    | MaxMessages
    | TextMention
    | TextMessage
    | StopMessage
    | TokenUsage
    | Money
    | Timeout
    | Handoff
    | External
    | Source
    | FunctionCall
    | Function
    | NoProgress,
    Field(discriminator="type"),
]


def _parts(condition: Condition, combined: type[AnyOf] | type[AllOf]) -> list[Condition]:
    """Return what `condition` is made of where it is of the same kind, so that `a | b | c` is one list."""
    return [*condition.of] if isinstance(condition, combined) else [condition]


AnyOf.model_rebuild()
AllOf.model_rebuild()
