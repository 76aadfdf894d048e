"""The one object that holds everything an agent is: what a handler touches, and what crosses a rollover."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from aos.conversation import Item, Usage
from aos.message import Reply
from aos.spec import AgentSpec
from aos.tool_contracts import ToolPolicy
from aos.views import DeadLetter, TranscriptLine
from aos.wire import Wire
from aos_workflows.mailbox import Mailbox
from aos_workflows.replies import ReplyBook
from aos_workflows.schedule import Schedule

SCHEMA_VERSION = 1
RECENT_LINES = 20
DEAD_LETTERS_KEPT = 20


class Turn(Wire):
    """The work on one message, or on several taken together.

    `before` is the conversation's head when the turn began: a turn that fails leaves no trace in it.
    `new` is what was said since the last step; `notes` is what
    was left from turns before. `text` and `sender` are of the last message, for people to see.
    """

    number: int
    ids: list[str] = Field(default_factory=list[str])
    text: str = ""
    sender: str = ""
    before: str = ""
    step: int = 0
    tool_calls: int = 0
    new: list[Item] = Field(default_factory=list[Item])
    notes: list[Item] = Field(default_factory=list[Item])
    repeats: dict[str, int] = Field(default_factory=dict[str, int])
    usage: Usage = Field(default_factory=Usage)
    stream: bool = False
    output_schema: dict[str, Any] | None = None


class AgentState(Wire):
    """Everything an agent is.

    Times are in seconds since 1970. `schema_version` is that of this class's fields: see `migrations`.
    """

    schema_version: int = SCHEMA_VERSION
    spec: AgentSpec
    life: str
    started: float
    program: str = ""
    tools: dict[str, ToolPolicy] = Field(default_factory=dict[str, ToolPolicy])
    search_attributes: bool = False
    mailbox: Mailbox = Field(default_factory=Mailbox)
    schedule: Schedule = Field(default_factory=Schedule)
    replies: ReplyBook = Field(default_factory=ReplyBook)
    turn: Turn | None = None
    head: str = ""
    context_tokens: int = 0
    notes: list[Item] = Field(default_factory=list[Item])
    recent: list[TranscriptLine] = Field(default_factory=list[TranscriptLine])
    spend: dict[str, Usage] = Field(default_factory=dict[str, Usage])
    dead: list[DeadLetter] = Field(default_factory=list[DeadLetter])
    dead_count: int = 0
    dead_older: str = ""
    paused: bool = False
    stop_reason: str = ""
    stop_now: bool = False
    turns: int = 0
    handled: int = 0
    failed: int = 0
    rollovers: int = 0

    def bury(self, letter: DeadLetter) -> None:
        """Add a dead letter."""
        self.dead.append(letter)
        self.dead_count += 1

    def show(self, item: Item, now: float) -> None:
        """Add a line to the previews of the newest part of the conversation."""
        self.recent.append(TranscriptLine.of(item, at=datetime.fromtimestamp(now, UTC), preview=True))
        del self.recent[:-RECENT_LINES]

    def say(self, item: Item, now: float) -> None:
        """Put `item` before what is said next, for instance a note on a message that failed."""
        self.notes.append(item)
        self.show(item, now)

    def charge(self, model: str, usage: Usage) -> None:
        """Add the cost of a model call."""
        if usage.calls:
            self.spend[model] = self.spend.get(model, Usage()) + usage

    def answer(self, reply: Reply) -> None:
        """Note what became of a message."""
        self.replies.keep(reply)

    def is_busy_with(self, message_id: str) -> bool:
        """Whether the message waits or is being handled, as far as can be known without the store."""
        in_turn = self.turn is not None and message_id in self.turn.ids
        return in_turn or self.mailbox.holds(message_id) or bool(self.mailbox.aside)
