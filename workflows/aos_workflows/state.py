"""The one object that holds everything an agent is: what a handler touches, and what crosses a rollover."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from aos.conversation import Item, NoteItem, ToolCall, ToolItem, Usage
from aos.limits import clip
from aos.message import Message, Reply
from aos.spec import AgentSpec
from aos.tool_contracts import ToolPolicy
from aos.views import TranscriptLine
from aos.wire import Wire
from aos_workflows.dead import Dead
from aos_workflows.mailbox import Mailbox
from aos_workflows.outbox import Outbox
from aos_workflows.replies import ReplyBook
from aos_workflows.schedule import Schedule
from aos_workflows.waits import Waits

SCHEMA_VERSION = 1
RECENT_LINES = 20

DEAD_BYTES = 6 * 1024
"""Most bytes of dead letters that cross a rollover in the state; the others lie in the store, whole."""

NOTES_BYTES = 128 * 1024
"""Most bytes of what is said before the next message, so that the two together fit into a payload."""


class Heard(Wire):
    """A message that a turn works on, as people are shown it, and what its sender wants to be told."""

    id: str
    sender: str = ""
    text: str = ""
    reply_to: str = ""
    task: str = ""


class Errand(Wire):
    """A question to others that a step waits for.

    `to` is whom it was put to, with the message `id`; both are empty while somebody with the `skill` is looked for.
    `tried` are those who were asked before. `seconds`: how long each may take. `came` is the answer, or `lost` says why
    none comes.
    """

    text: str
    to: str = ""
    id: str = ""
    skill: str = ""
    tried: list[str] = Field(default_factory=list[str])
    seconds: float
    came: Reply | None = None
    lost: str = ""


class OpenStep(Wire):
    """A step whose calls are being carried out: it goes on after a rollover. Keys are the places of the calls."""

    text: str = ""
    begun: bool = False
    calls: list[ToolCall] = Field(default_factory=list[ToolCall])
    results: dict[int, ToolItem] = Field(default_factory=dict[int, ToolItem])
    errands: dict[int, Errand] = Field(default_factory=dict[int, Errand])


class Turn(Wire):
    """The work on one message, or on several taken together.

    `before` is the conversation's head when the turn began, and `before_tokens` its size: a turn that fails leaves
    no trace in it. `new` is what was said since the last step; `notes` is what was left from turns before. `again`: the
    step under way was begun before, and let go of for a rollover. `letters` are the messages themselves, or `kept`
    names where the store has them. `waiting`, `causation`, `priority`, `importance` and `deadline` are those of the
    messages, for what is sent because of them. `open` are the calls of the step under way. `ends`: it is the last step,
    for the agent handed the task on or finished it.
    """

    number: int
    heard: list[Heard] = Field(default_factory=list[Heard])
    before: str = ""
    before_tokens: int = 0
    step: int = 0
    again: bool = False
    tool_calls: int = 0
    new: list[Item] = Field(default_factory=list[Item])
    notes: list[Item] = Field(default_factory=list[Item])
    repeats: dict[str, int] = Field(default_factory=dict[str, int])
    usage: Usage = Field(default_factory=Usage)
    stream: bool = False
    output_schema: dict[str, Any] | None = None
    began: float = 0.0
    letters: list[Message] = Field(default_factory=list[Message])
    kept: str = ""
    waiting: list[str] = Field(default_factory=list[str])
    causation: list[str] = Field(default_factory=list[str])
    priority: int = 3
    importance: int = 0
    deadline: float = 0.0
    open: OpenStep | None = None
    called: list[str] = Field(default_factory=list[str])
    handoff: str = ""
    ends: bool = False
    last_words: str = ""

    @property
    def ids(self) -> list[str]:
        """Ids of the messages that the turn answers."""
        return [message.id for message in self.heard]

    @property
    def last(self) -> Heard:
        """The message that people are shown as the one that the turn is about."""
        return self.heard[-1]


class Shortened(Wire):
    """The conversation up to `base`, shortened to what ends at `head` and costs a model `tokens`."""

    base: str
    head: str
    tokens: int


class AgentState(Dead):
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
    shortened: Shortened | None = None
    notes: list[Item] = Field(default_factory=list[Item])
    recent: list[TranscriptLine] = Field(default_factory=list[TranscriptLine])
    spend: dict[str, Usage] = Field(default_factory=dict[str, Usage])
    waits: Waits = Field(default_factory=Waits)
    outbox: Outbox = Field(default_factory=Outbox)
    pace: float = 0.0
    """Seconds that a message took lately."""
    paused: bool = False
    stop_reason: str = ""
    stop_now: bool = False
    turns: int = 0
    handled: int = 0
    failed: int = 0
    rollovers: int = 0

    @property
    def dead_bytes(self) -> int:
        """Most bytes of dead letters that cross a rollover."""
        return DEAD_BYTES

    def show(self, item: Item, now: float) -> None:
        """Add a line to the previews of the newest part of the conversation."""
        self.recent.append(TranscriptLine.of(item, at=datetime.fromtimestamp(now, UTC), preview=True))
        del self.recent[:-RECENT_LINES]

    def say(self, item: Item, now: float) -> None:
        """Put `item` before what is said next, for instance a note on a message that failed."""
        self.keep([item])
        self.show(item, now)

    def keep(self, items: Sequence[Item]) -> None:
        """Put `items` before what is said next. What is too long is cut, and the oldest left out.

        Results of tools stay whole, for a model refuses a conversation in which a call lacks its result.
        """
        room, kept = NOTES_BYTES, list[Item]()
        for item in reversed([*self.notes, *items]):
            told = item if isinstance(item, ToolItem) or len(item.model_dump_json()) <= room else retold(item)
            room -= len(told.model_dump_json())
            if room >= 0 or isinstance(told, ToolItem):
                kept.append(told)
        self.notes = kept[::-1]

    def charge(self, model: str, usage: Usage) -> None:
        """Add the cost of a model call."""
        if usage.calls:
            self.spend[model] = self.spend.get(model, Usage()) + usage

    def answer(self, reply: Reply) -> None:
        """Note what became of a message."""
        self.replies.keep(reply)

    def is_busy_with(self, message_id: str) -> bool:
        """Whether the message waits here or is being handled."""
        return (self.turn is not None and message_id in self.turn.ids) or self.mailbox.holds(message_id)

    def may_hold(self, message_id: str) -> bool:
        """Whether the message waits, here or perhaps in the store, or is being handled."""
        return self.is_busy_with(message_id) or bool(self.mailbox.aside)


def life_of(run_id: str) -> str:
    """Return the name of a life that began with the run of that id: half as long, for it is said at every step."""
    return base64.b32hexencode(hashlib.sha256(run_id.encode()).digest()[:10]).decode().lower()


def retold(item: Item) -> Item:
    """Return the gist of `item`, which an earlier turn left unanswered. A note, or a tool's result, stays as it is."""
    if isinstance(item, (NoteItem, ToolItem)):
        return item
    return NoteItem(text=f"Said before and not answered: {clip(item.text, 500)}")
