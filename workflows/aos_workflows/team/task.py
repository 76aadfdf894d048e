"""One task of a team: what was said in it, who is asked, and what is still to be worked on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field, JsonValue

from aos.conversation import Usage
from aos.message import Message
from aos.wire import Wire
from aos_workflows.seen import short_digest
from aos_workflows.team.course import USER, Answer, Consult, Finish, Said
from aos_workflows.team.courses import AnyCourse
from aos_workflows.team.ending import Ending

TEXT_BYTES = 4 * 1024
"""Longest text that travels from member to member in the messages themselves; a longer one is kept in the store."""

TEAM = "team"
"""Source of remarks of the team itself, for instance on a member that could not speak."""

SHOWN = 20
"""Lines of a task that are kept to be shown, when all members were told them."""


def task_node(team: str, task: str) -> str:
    """Return the node of a task among those who wait for each other, as `team/news#7`."""
    node = f"team/{team}#{task}"
    return node if len(node) <= 200 else f"team/{team}#{short_digest(task)}"


class Line(Said):
    """One line of what was said. `note`: a remark of the team, not a message."""

    note: bool = False


class Asked(Wire):
    """A member that was asked and has not answered.

    `to` is its address and `id` that of the message. `due` is when it is passed over, and `look` when it is looked
    whether it is alive at all; `pause` is how long after the look before, in seconds.
    """

    id: str
    to: str
    due: float
    look: float
    pause: float
    told: str = ""
    alone: bool = False
    again: bool = False
    """It was started anew and asked once more already."""


class Arrived(Wire):
    """What came of a question to a member: what it said, or why it cannot. It waits to be worked on."""

    member: str
    said: Said | None = None
    output: JsonValue = None
    reason: str = ""


class Question(Wire):
    """A consultation under way. `number` makes its key; `again`: it was begun before and let go of for a rollover."""

    number: int
    consult: Consult
    again: bool = False
    answer: Answer | None = None


class Task(Wire):
    """A task that is being worked on.

    `lines` begin with the line numbered `first`; those before lie in the store, `older` names the newest page of them.
    `told` is, for each member that was asked, the number of the line up to which it was told. `pending` is what was
    said last and is looked at by functions of the termination; `questions` are theirs. Times are in seconds since 1970.
    """

    message: Message
    node: str
    began: float
    course: AnyCourse | None = None
    ending: Ending = Field(default_factory=Ending)
    lines: list[Line] = Field(default_factory=list[Line])
    first: int = 0
    older: str = ""
    told: dict[str, int] = Field(default_factory=dict[str, int])
    asks: dict[str, Asked] = Field(default_factory=dict[str, Asked])
    arrived: list[Arrived] = Field(default_factory=list[Arrived])
    consult: Question | None = None
    pending: Said | None = None
    questions: list[Question] = Field(default_factory=list[Question])
    asked: int = 0
    """Consultations up to now."""
    turns: int = 0
    messages: int = 0
    usage: Usage = Field(default_factory=Usage)
    output: JsonValue = None
    """The last answer as JSON, where the member gave it so."""
    max_turns: int = 0
    whole: str = ""
    """What was said last, also where its line has but the start of it."""
    closing: Finish | None = None
    """How it ends, as soon as a result that is too long is in the store."""

    @property
    def id(self) -> str:
        """The id of the message that the task came as."""
        return self.message.id

    @property
    def deadline(self) -> float | None:
        """When nobody wants the result any more, in seconds since 1970."""
        return self.message.deadline.timestamp() if self.message.deadline else None

    @property
    def count(self) -> int:
        """How many lines there are, wherever they lie."""
        return self.first + len(self.lines)

    @property
    def last(self) -> Line | None:
        """What a member said last."""
        return next((line for line in reversed(self.lines) if not line.note and line.source != USER), None)

    def add(self, said: Said, text: str) -> None:
        """Add a message to what was said, with as much of its text as is carried along."""
        self.lines.append(Line.model_validate({**said.model_dump(), "text": text}))
        self.messages += 1
        self.usage += said.usage

    def note(self, text: str, now: float) -> None:
        """Add a remark of the team itself."""
        self.lines.append(Line(source=TEAM, text=text, at=now, note=True))

    def news_for(self, member: str) -> list[Line]:
        """Return what was said, by others, since the member was told last; the oldest may be in the store."""
        since = max(self.told.get(member, 0) - self.first, 0)
        return [line for line in self.lines[since:] if line.source != member or line.note]

    def missing_for(self, member: str) -> int:
        """Return how many lines the member was not told and can only find in the store."""
        return max(self.first - self.told.get(member, 0), 0)

    def surplus(self, members: Iterable[str], limit: int) -> list[Line]:
        """Return the oldest lines, which are to go into the store: those beyond `limit` bytes or that all were told."""
        needed = min((self.told[name] for name in members if name in self.told), default=self.count)
        keep_from = max(0, min(needed - self.first, len(self.lines) - SHOWN))
        size, at = 0, len(self.lines)
        while at > keep_from:
            size += len(self.lines[at - 1].text) + 150
            if size > limit and at < len(self.lines):
                break
            at -= 1
        return self.lines[:at]

    def set_aside(self, ref: str, lines: Sequence[Line]) -> None:
        """Let go of the oldest lines, which lie in the store as `ref` now."""
        del self.lines[: len(lines)]
        self.first += len(lines)
        self.older = ref
