"""What an agent shows of itself: the results of its queries."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from aos.conversation import AssistantItem, Item, ToolCall, ToolItem, Usage, UserItem
from aos.limits import clip

Condition = Literal["starting", "waiting", "working", "paused", "stopping", "stopped", "refused"]


class ModelSpend(BaseModel):
    """What one model cost an agent over its whole life. `cost` is in US dollars."""

    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float

    @classmethod
    def of(cls, model: str, usage: Usage) -> ModelSpend:
        """Return the spend of `model`."""
        return cls(
            model=model,
            calls=usage.calls,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=usage.cost / 1_000_000,
        )


class WaitView(BaseModel):
    """An answer that is waited for, by whom it will be given, and until when."""

    to: str
    id: str
    kind: str
    since: datetime
    deadline: datetime | None = None


class AgentStatus(BaseModel):
    """How an agent is, in one look: the result of the query `status`."""

    name: str
    condition: Condition
    doing: str
    """What the agent does now, in words."""
    purpose: str
    version: str
    model: list[str]
    waiting: int
    handled: int
    failed: int
    turns: int
    rollovers: int
    dead_letters: int
    context_tokens: int
    waits_for: list[WaitView] = Field(default_factory=list[WaitView])
    mailbox_limit: int = 0
    next_tick: datetime | None = None
    started: datetime
    spend: list[ModelSpend] = Field(default_factory=list[ModelSpend])


class InboxEntry(BaseModel):
    """A message that waits."""

    id: str
    sender: str
    priority: int
    mode: str
    wake: bool
    at: datetime
    preview: str


class InboxView(BaseModel):
    """Messages that wait, most urgent first. `set_aside` of the count are not listed: they lie in the store."""

    count: int
    set_aside: int = 0
    entries: list[InboxEntry]


class TranscriptLine(BaseModel):
    """One thing said. `kind` is user, assistant, tool, note or summary."""

    kind: str
    text: str
    who: str = ""
    id: str = ""
    error: bool = False
    at: datetime | None = None
    tool_calls: list[ToolCall] = Field(default_factory=list[ToolCall])

    @classmethod
    def of(cls, item: Item, *, at: datetime | None = None, preview: bool = False) -> TranscriptLine:
        """Return `item` as a line, whole or as a preview."""
        text = clip(item.text) if preview else item.text
        line = cls(kind=item.kind, text=text, at=at)
        match item:
            case UserItem():
                return line.model_copy(update={"who": item.sender, "id": item.id})
            case AssistantItem():
                return line.model_copy(update={"who": item.model, "tool_calls": [] if preview else item.tool_calls})
            case ToolItem():
                return line.model_copy(update={"who": item.name, "id": item.call_id, "error": item.error})
            case _:
                return line


class TranscriptPage(BaseModel):
    """Part of a conversation, oldest first. `skipped` items are newer; `more` says that older ones exist."""

    lines: list[TranscriptLine]
    skipped: int = 0
    more: bool = False


class TranscriptView(BaseModel):
    """The newest part of a conversation as previews: the result of the query `transcript`.

    `head` names the whole conversation in the store.
    """

    head: str
    lines: list[TranscriptLine]


DeathKind = Literal["unreadable", "failed", "undeliverable"]


class DeadLetter(BaseModel):
    """A message that could not be read, handled or delivered.

    `text` is its first thousand characters; `ref`, if any, names what the store holds of it. `replayable`: that is the
    whole message, or will be in a moment, so that it can be taken in once more.
    """

    id: str
    reason: str
    text: str
    sender: str = ""
    at: datetime
    kind: DeathKind = "failed"
    ref: str = ""
    replayable: bool = False

    @classmethod
    def of(
        cls,
        *,
        id: str,
        reason: str,
        text: str,
        at: datetime,
        kind: DeathKind = "failed",
        sender: str = "",
        ref: str = "",
        replayable: bool = False,
    ) -> DeadLetter:
        """Return a dead letter whose texts are cut to size."""
        return cls(
            id=clip(id, 200),
            reason=clip(reason, 500),
            text=clip(text, 1000),
            sender=sender,
            at=at,
            kind=kind,
            ref=ref,
            replayable=replayable,
        )


class DeadLetters(BaseModel):
    """The newest dead letters, oldest first. `count` is how many there are; `older` names the rest in the store."""

    count: int
    letters: list[DeadLetter]
    older: str = ""


class LettersSettled(BaseModel):
    """What became of dead letters that were to be replayed or dropped, by their ids.

    `done`: the new id of each that was replayed, or nothing for one that was dropped. `left`: why the others stay.
    """

    done: dict[str, str] = Field(default_factory=dict[str, str])
    left: dict[str, str] = Field(default_factory=dict[str, str])


class Farewell(BaseModel):
    """What an agent leaves behind when it is stopped: the result of its workflow."""

    name: str
    reason: str
    handled: int
    failed: int
    undelivered: list[str] = Field(default_factory=list[str])
    """Ids of messages that were still waiting."""
    undelivered_pages: list[str] = Field(default_factory=list[str])
    """References of messages that waited in the store."""
    spend: list[ModelSpend] = Field(default_factory=list[ModelSpend])
