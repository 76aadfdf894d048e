"""What a topic has to bring to its readers: each publication once, however many readers there are.

An outbox would hold a copy for each reader, and a thousand copies would not fit into what a rollover carries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pydantic import Field, JsonValue

from aos.message import Message
from aos.topic import Subscription
from aos.wire import Wire

WINDOW = 50
"""Entries that are dealt and not brought to everybody."""

PAGE_BYTES = 512 * 1024


class Entry(Wire):
    """One thing for readers: a publication, new or ended subscriptions, or the end of the topic.

    `to`: for this reader only. What is no publication is for branches of the topic.
    """

    message: Message | None = None
    place: list[Subscription] = Field(default_factory=list[Subscription])
    remove: str = ""
    stop: str = ""
    to: str = ""


class PageAside(Wire):
    """Entries in the store: their reference and how many there are."""

    ref: str
    count: int


Wants = Callable[[str, Entry], bool]


class Log(Wire):
    """Entries by number, and how far each reader has got.

    `front` begins with the entry `first`; after it come the pages `aside`, and then what came `late`, while there were
    pages. Entries before `dealt` were offered to all readers. A reader that has got all of them stands nowhere;
    `behind` has for the others the number of the next entry. One that joined late is ahead of `dealt`.
    """

    first: int = 0
    dealt: int = 0
    front: list[Entry] = Field(default_factory=list[Entry])
    aside: list[PageAside] = Field(default_factory=list[PageAside])
    late: list[Entry] = Field(default_factory=list[Entry])
    behind: dict[str, int] = Field(default_factory=dict[str, int])

    @property
    def count(self) -> int:
        """Entries that not everybody has got."""
        return len(self.front) + sum(page.count for page in self.aside) + len(self.late)

    @property
    def settled(self) -> bool:
        """Whether all readers have got what was dealt."""
        return all(number >= self.dealt for number in self.behind.values())

    @property
    def page_needed(self) -> PageAside | None:
        """The page that comes next, when what comes before it is done."""
        return self.aside[0] if self.aside and not self.front else None

    @property
    def can_deal(self) -> bool:
        """Whether an entry is there to be dealt."""
        return self.dealt < self.first + len(self.front) and self.dealt - self.first < WINDOW

    def add(self, entry: Entry) -> None:
        """Add an entry at the end."""
        (self.late if self.aside else self.front).append(entry)

    def join(self, reader: str) -> None:
        """Have a new reader get what comes from now on."""
        if (end := self.first + self.count) > self.dealt:
            self.behind[reader] = end

    def leave(self, reader: str) -> None:
        """Have a reader get nothing more."""
        self.behind.pop(reader, None)

    def deal(self, readers: Iterable[str], wants: Wants) -> list[str]:
        """Offer the next entry to `readers`, and return those at rest that want it."""
        number, entry = self.dealt, self.front[self.dealt - self.first]
        self.dealt += 1
        woken: list[str] = []
        for reader in readers:
            place = self.behind.get(reader, number)
            if place != number:
                continue  # It has something to get before, or joined later.
            if wants(reader, entry):
                self.behind[reader] = number
                woken.append(reader)
            else:
                self.behind.pop(reader, None)
        return woken

    def next_for(self, reader: str, wants: Wants) -> tuple[int, Entry] | None:
        """Return what a reader gets next of what was dealt, with its number; None: it has got all."""
        if (number := self.behind.get(reader)) is None or number > self.dealt:
            return None
        while number < self.dealt:
            entry = self.front[number - self.first]
            if wants(reader, entry):
                self.behind[reader] = number
                return number, entry
            number += 1
        del self.behind[reader]
        return None

    def got(self, reader: str, number: int) -> None:
        """A reader has got an entry. If it has left and joined since, that changes nothing."""
        if self.behind.get(reader) == number:
            self.behind[reader] = number + 1

    def trim(self) -> None:
        """Let go of the entries that everybody has got."""
        least = min(self.dealt, min(self.behind.values(), default=self.dealt))
        if least > self.first:
            del self.front[: least - self.first]
            self.first = least

    def begin_with(self, entries: Sequence[Entry]) -> None:
        """Put entries before all that were not dealt, for readers that are all new. Everything must be settled."""
        self.trim()
        self.front[:0] = entries
        self.behind.clear()

    # What is in the store

    def surplus(self, limit: int) -> tuple[int, list[list[Entry]]]:
        """Return what is to go into the store, so that at most `limit` bytes are left, and the number of its first."""
        room, kept = limit, 0
        for entry in self.front:
            room -= _size(entry)
            if room < 0:
                break
            kept += 1
        return self.first + kept, _pages(self.front[kept:])

    def set_aside(self, number: int, pages: Sequence[PageAside], readers: Iterable[str]) -> None:
        """Note where the surplus lies now, which begins with `number`. `readers` are all there are."""
        at = number - self.first
        self.late[:0] = self.front[at + sum(page.count for page in pages) :]  # It came while the pages were stored.
        del self.front[at:]
        self.aside[:0] = pages
        if self.dealt > number:
            # It will be dealt once more; those who have got it must not get it then.
            for reader in readers:
                self.behind.setdefault(reader, self.dealt)
            self.dealt = number

    def late_surplus(self, limit: int) -> list[list[Entry]]:
        """Return what came late and is to go into the store: all of it, or nothing."""
        return _pages(self.late) if sum(map(_size, self.late)) > limit else []

    def set_late_aside(self, pages: Sequence[PageAside]) -> None:
        """Note where what came late lies now."""
        del self.late[: sum(page.count for page in pages)]
        self.aside += pages

    def bring_back(self, page: PageAside, entries: Iterable[JsonValue]) -> None:
        """Take the first page back."""
        if page not in self.aside[:1]:
            return
        del self.aside[0]
        self.front += [Entry.model_validate(entry) for entry in entries]
        if not self.aside:
            self.front += self.late
            self.late.clear()


def _size(entry: Entry) -> int:
    return len(entry.model_dump_json().encode())


def _pages(entries: Sequence[Entry]) -> list[list[Entry]]:
    pages: list[list[Entry]] = []
    room = 0
    for entry in entries:
        room -= (size := _size(entry))
        if room < 0:
            pages.append([])
            room = PAGE_BYTES - size
        pages[-1].append(entry)
    return pages
