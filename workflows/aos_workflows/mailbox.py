"""The messages that wait for an agent."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from functools import cached_property

from pydantic import Field, JsonValue

from aos.message import Message
from aos.wire import Wire
from aos_workflows.seen import Seen, Verdict

PAGE_BYTES = 512 * 1024
"""Messages that are set aside together."""

AGE = 60.0
"""Seconds that a message waits while one of the next higher priority goes first: what is never urgent comes too."""

QUIET_BYTES = 64 * 1024
"""More than this that the agent has not read wakes it."""

_FIRST = -1.0


class Envelope(Wire):
    """A message with when, in seconds since 1970, and in which order it came. `asked`: a caller waits for its reply."""

    message: Message
    order: int
    at: float
    asked: bool = False

    @property
    def urgency(self) -> tuple[float, int]:
        """What mail is sorted by: interruptions, then by when its turn is, then by order of arrival.

        The turn of a message never changes, so that what is sorted stays sorted, wherever it lies.
        """
        return (_FIRST if self.message.mode == "interrupt" else self.at + self.message.priority * AGE, self.order)

    @property
    def alone(self) -> bool:
        """Whether its reply is somebody's, so that no other message may share it."""
        return self.asked or bool(self.message.reply_to)

    @cached_property
    def size(self) -> int:
        """About the characters that the message takes in a payload, as JSON."""
        return len(self.message.model_dump_json()) + 100


class SetAside(Wire):
    """Waiting messages that lie in the store, because the state would be too large with them."""

    ref: str
    count: int
    urgency: tuple[float, int]


class Mailbox(Wire):
    """Waiting messages, most urgent first; those that do not wake the agent; and which ever came.

    Messages of one sender and one priority keep their order.
    """

    waiting: list[Envelope] = Field(default_factory=list[Envelope])
    quiet: list[Envelope] = Field(default_factory=list[Envelope])
    aside: list[SetAside] = Field(default_factory=list[SetAside])
    seen: Seen = Field(default_factory=Seen)
    arrived: int = 0
    latest: float = 0.0
    """When the newest message came; later ones count as no older, whatever the clock says."""

    def offer(self, message: Message, at: float, *, asked: bool = False) -> Verdict:
        """Take in a message that is new; say of another why not."""
        verdict = self.seen.judge(message)
        if verdict == "new":
            self.post(message, at, asked=asked)
        return verdict

    def post(self, message: Message, at: float, *, asked: bool = False) -> None:
        """Take in a message that comes from the agent itself, so that it cannot come twice."""
        self.arrived += 1
        self.latest = max(self.latest, at)
        self._put(Envelope(message=message, order=self.arrived, at=self.latest, asked=asked))

    def _put(self, envelope: Envelope) -> None:
        insort(self.waiting if envelope.message.wake else self.quiet, envelope, key=lambda entry: entry.urgency)

    @property
    def count(self) -> int:
        """How many messages wait, wherever they lie."""
        return len(self.waiting) + len(self.quiet) + sum(page.count for page in self.aside)

    @property
    def has_work(self) -> bool:
        """Whether a message waits that wakes the agent."""
        return bool(self.waiting or self.aside) or sum(entry.size for entry in self.quiet) > QUIET_BYTES

    @property
    def interrupts(self) -> bool:
        """Whether a message waits that ends the turn under way."""
        return bool(self.waiting) and self.waiting[0].message.mode == "interrupt"

    def holds(self, message_id: str) -> bool:
        """Whether a message of that id waits here; one in the store is not looked for."""
        return any(entry.message.id == message_id for entry in (*self.waiting, *self.quiet))

    def page_needed(self) -> SetAside | None:
        """Return the page in the store that must be brought back before the next message is taken."""
        if not self.aside:
            return None
        page = min(self.aside, key=lambda entry: entry.urgency)
        return None if self.waiting and self._comes_first(self.waiting[0]) else page

    def _comes_first(self, entry: Envelope) -> bool:
        """Whether nothing that lies in the store is more urgent."""
        return all(entry.urgency < page.urgency for page in self.aside)

    def take(self, batch: int, limit: int) -> list[Envelope]:
        """Take the most urgent message, and up to `batch` that follow it and that nobody waits for, to `limit` bytes.

        Quiet messages come along, before it. Where none waits, they come alone.
        """
        if not self.waiting:
            first = self.quiet[:1]
            self._drop(first)
            return [*first, *self._take_quiet(limit - sum(entry.size for entry in first))]
        taken = [self.waiting.pop(0)]
        size = taken[0].size
        while (
            self.waiting
            and len(taken) < batch
            and not (taken[-1].alone or self.waiting[0].alone)
            and self.waiting[0].message.output_schema == taken[0].message.output_schema
            and self._comes_first(self.waiting[0])
            and size + self.waiting[0].size <= limit
        ):
            size += self.waiting[0].size
            taken.append(self.waiting.pop(0))
        return [*self._take_quiet(limit - size), *taken]

    def _take_quiet(self, limit: int) -> list[Envelope]:
        taken: list[Envelope] = []
        while self.quiet and self.quiet[0].size <= limit and self._comes_first(self.quiet[0]):
            limit -= self.quiet[0].size
            taken.append(self.quiet.pop(0))
        return taken

    def take_steering(self, limit: int) -> list[Envelope]:
        """Take the messages that the turn under way is to read at its next step."""
        taken: list[Envelope] = []
        for entry in self.waiting:
            if entry.message.mode == "steer" and self._comes_first(entry):
                limit -= entry.size
                if limit < 0:
                    break
                taken.append(entry)
        self._drop(taken)
        return taken

    def size_since(self, arrived: int) -> int:
        """Return the bytes of the messages here that came after so many had come."""
        return sum(entry.size for entry in (*self.waiting, *self.quiet) if entry.order > arrived)

    def surplus(self, limit: int) -> list[Envelope]:
        """Return the least urgent messages that are beyond `limit` bytes, one page of them at most.

        They stay here until `set_aside` is told where they lie.
        """
        entries = [*self.waiting, *self.quiet]
        size, keep = 0, 0
        while keep < len(entries) and size + entries[keep].size <= limit:
            size += entries[keep].size
            keep += 1
        page: list[Envelope] = []
        room = PAGE_BYTES
        for entry in reversed(entries[keep:]):
            if page and entry.size > room:
                break
            page.append(entry)
            room -= entry.size
        return page[::-1]

    def set_aside(self, ref: str, page: Sequence[Envelope]) -> None:
        """Let go of the messages of `page`, which lie in the store as `ref` now."""
        self._drop(page)
        self.aside.append(SetAside(ref=ref, count=len(page), urgency=min(entry.urgency for entry in page)))

    def _drop(self, entries: Iterable[Envelope]) -> None:
        gone = {entry.order for entry in entries}
        self.waiting = [entry for entry in self.waiting if entry.order not in gone]
        self.quiet = [entry for entry in self.quiet if entry.order not in gone]

    def bring_back(self, page: SetAside, entries: Iterable[JsonValue]) -> None:
        """Put the messages of a page among those that wait."""
        self.aside.remove(page)
        for entry in entries:
            self._put(Envelope.model_validate(entry))
