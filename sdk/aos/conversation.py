"""What a conversation is made of, for every provider alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from aos.parts import Part
from aos.wire import Contract, Wire


class Image(Contract):
    """A picture in a message: `data` is base64 with its `media_type`, or `url` points at it."""

    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"] = "image/png"
    data: str = ""
    url: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.data) == bool(self.url):
            raise ValueError("give either data (base64) or url")
        return self


class ToolCall(Wire):
    """A model's wish to have a tool run.

    `arguments` is the JSON object that the model wrote. `malformed` holds the model's text where that was no
    JSON object; such a call is answered with an error instead of being run.
    """

    id: str
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])
    malformed: str = ""


class UserItem(Wire):
    """Something said to the agent, by a person, an agent, a trigger or an event."""

    kind: Literal["user"] = "user"
    text: str
    sender: str = ""
    id: str = ""
    images: list[Image] = Field(default_factory=list[Image])
    parts: list[Part] = Field(default_factory=list[Part])
    """What it carries besides; in the stored conversation it has become part of the text."""


class AssistantItem(Wire):
    """What the model answered."""

    kind: Literal["assistant"] = "assistant"
    text: str = ""
    tool_calls: list[ToolCall] = Field(default_factory=list[ToolCall])
    model: str = ""


class ToolItem(Wire):
    """The one result of one tool call. `ref` names the whole result where `text` is only its start."""

    kind: Literal["tool"] = "tool"
    call_id: str
    name: str
    text: str
    ref: str = ""
    size: int = 0
    error: bool = False


class NoteItem(Wire):
    """A remark of AOS itself, for instance that a message failed or a reply did not fit its schema."""

    kind: Literal["note"] = "note"
    text: str


class SummaryItem(Wire):
    """What stands for everything older; the originals remain in the store."""

    kind: Literal["summary"] = "summary"
    text: str


Item = Annotated[
    UserItem | AssistantItem | ToolItem | NoteItem | SummaryItem,
    Field(discriminator="kind"),
]


class Usage(Wire):
    """Tokens and money of one or more model calls. `cost` is in millionths of a US dollar."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    calls: int = 0
    cost: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            calls=self.calls + other.calls,
            cost=self.cost + other.cost,
        )
