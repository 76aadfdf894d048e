"""The driver's own log: what it asked for, when, and what it was told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Entry:
    """One message. `lane` is where its sender promises an order, the order of `place`; None: no order is owed."""

    text: str
    agent: str
    lane: str | None
    place: int
    tool: bool
    acknowledged: bool = False
    history: list[str] = field(default_factory=list[str])


class Journal:
    """What was sent, by text, which is a message's id as well."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.repeats = 0
        self.unknown = 0
        self.asked = 0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the journal was begun."""
        return time.monotonic() - self._began

    def invoke(self, text: str, agent: str, lane: str | None, place: int, *, tool: bool = False) -> Entry:
        """Note that a message is about to be sent for the first time."""
        entry = self.entries[text] = Entry(text, agent, lane, place, tool)
        self.tell(entry, "invoked")
        return entry

    def acknowledge(self, entry: Entry, how: str = "acknowledged") -> None:
        """Note that the server has said that it has the message."""
        entry.acknowledged = True
        self.tell(entry, how)

    def tell(self, entry: Entry, what: str) -> None:
        """Add to the history of a message."""
        entry.history.append(f"{self.seconds:8.3f} s {what}")
