"""What is said to an agent and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue

from aos.address import Address
from aos.conversation import Image, Usage
from aos.json_schema import OutputSchema
from aos.json_value import Json
from aos.parts import Part
from aos.wire import Compact, Contract

MESSAGE_ID_CHARS = 200
"""Longest id of a message, and longest name of a sender, in characters."""

LARGEST_NUMBER = 2**53 - 1
"""Largest number of a message in a stream: beyond it, some readers of JSON take two numbers for one."""

Mode = Literal["queue", "interrupt", "steer"]
"""What happens to a message that comes during a turn: it waits, ends the turn, or is read at the next step."""

Kind = Literal["note", "question", "answer", "publication", "task"]
"""What a message is to its recipient. Whoever sent a question or a task waits for what comes of it."""

CHAIN = 64
"""Longest chain of messages that one message may have behind it: how deep agents may ask and delegate."""


class Sequence(Contract):
    """Place of a message in what one client sends to one agent; the client library fills it in.

    A client numbers its messages 1, 2, 3 ... in a stream of its own. `born` is when the stream began,
    in milliseconds since 1970.
    """

    stream: Annotated[str, Field(min_length=1, max_length=64)]
    born: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
    number: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]


class Message(Contract, Compact):
    """Something said to an agent: `{"text": "..."}` is enough."""

    text: Annotated[str, Field(min_length=1)]
    id: Annotated[str, Field(max_length=MESSAGE_ID_CHARS)] = ""
    """Names the message. One id is handled once, however often it is sent."""
    sender: Annotated[str, Field(max_length=MESSAGE_ID_CHARS)] = ""
    mode: Mode = "queue"
    priority: Annotated[int, Field(ge=1, le=5)] = 3
    """1 is the most urgent, 5 the least, as in Temporal."""
    importance: Annotated[int, Field(ge=0, le=5)] = 0
    """How important the purpose is that it serves, 1 most; teams fill it in. 0: nothing is said of that."""
    wake: bool = True
    """False: the agent reads it with the next message or tick that wakes it."""
    stream: bool = False
    """Tell listeners of the reply while it is being written."""
    wait: bool = True
    """False: `ask` returns as soon as the message is accepted."""
    images: list[Image] = Field(default_factory=list[Image], max_length=20)
    output_schema: OutputSchema = None
    """JSON schema that the reply to this message must fit, in place of the spec's."""
    sequence: Sequence | None = None
    to: Address | Literal[""] = ""
    """Whom it was sent to; what sends it fills it in."""
    kind: Kind = "note"
    topic: Annotated[str, Field(max_length=100)] = ""
    """The topic that it was published on."""
    parts: list[Part] = Field(default_factory=list[Part], max_length=20)
    """What it carries besides its text."""
    deadline: AwareDatetime | None = None
    """After this nobody wants its reply any more: it is not begun, and becomes a dead letter."""
    reply_to: Address | Literal[""] = ""
    """Who is signalled with the reply. Agents and teams fill it in; an update returns its reply itself."""
    correlation: Annotated[str, Field(max_length=MESSAGE_ID_CHARS)] = ""
    """The id of the message that this one answers."""
    causation: list[Annotated[str, Field(max_length=MESSAGE_ID_CHARS)]] = Field(
        default_factory=list[str], max_length=CHAIN
    )
    """Ids of the messages that led to this one, the first one first."""
    waiting: list[Annotated[str, Field(max_length=MESSAGE_ID_CHARS)]] = Field(
        default_factory=list[str], max_length=CHAIN
    )
    """Who waits for what comes of this message, the outermost first: agents by address, teams with their task."""
    task: Annotated[str, Field(max_length=MESSAGE_ID_CHARS)] = ""
    """The task of a team that it belongs to, as `team/<name>#<id>`."""
    traceparent: Annotated[str, Field(max_length=100)] = ""
    """Where the trace goes on, as in W3C Trace Context."""


class Event(Contract):
    """Something that happened outside, in the fields of CloudEvents 1.0."""

    type: Annotated[str, Field(min_length=1, max_length=200)]
    source: Annotated[str, Field(max_length=500)] = ""
    id: Annotated[str, Field(max_length=200)] = ""
    time: str = ""
    subject: str = ""
    specversion: str = "1.0"
    datacontenttype: str = ""
    data: Json = None


ReplyStatus = Literal["done", "pending", "interrupted", "failed"]


class Reply(Contract, Compact):
    """What became of a message.

    `pending`: the agent has it; ask again with the same `id` for its reply. `text` is cut where `ref` is set.
    `output` is the reply as JSON where a schema was given. `handoff` names whom the agent handed the task on to.
    """

    id: str
    status: ReplyStatus
    text: str = ""
    output: JsonValue = None
    ref: str = ""
    error: str = ""
    steps: int = 0
    usage: Usage = Field(default_factory=Usage)
    handoff: str = ""
    called: list[str] = Field(default_factory=list[str])
    """Names of the tools that were called for it, where its sender waits for it as agents and teams do."""
    retry_after: float = 0.0
    """Seconds after which to ask again, where the mailbox was full."""
