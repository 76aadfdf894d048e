"""What was said in a task, as far as a model or a function that is asked about it needs to know it."""

from __future__ import annotations

from pydantic import Field, JsonValue

from aos.wire import Wire
from aos_workflows.team.course import Said

LINE_CHARS = 8_000
"""Longest text that is kept of one message, in characters."""

THREAD_CHARS = 24_000
"""Most characters that are kept of all messages: what a turn costs must not grow with the task."""


class Line(Wire):
    """One thing said."""

    source: str
    text: str = ""


class Thread(Wire):
    """The first message, which is the task, and the newest ones. `left_out` counts those between them."""

    lines: list[Line] = Field(default_factory=list[Line])
    left_out: int = 0

    def add(self, said: Said) -> None:
        """Add what was said, and let go of the oldest where it gets too much."""
        self.note(said.source, said.text)

    def note(self, source: str, text: str) -> None:
        """Add a line that is no message of a member."""
        self.lines.append(Line(source=source, text=shortened(text, LINE_CHARS)))
        size = sum(len(line.source) + len(line.text) for line in self.lines)
        while size > THREAD_CHARS and len(self.lines) > 2:
            line = self.lines.pop(1)
            size -= len(line.source) + len(line.text)
            self.left_out += 1

    def told(self) -> str:
        """Return it as text: who said what, a blank line between them."""
        told = [f"{line.source}: {line.text}".rstrip() for line in self.lines]
        if self.left_out:
            told.insert(1, f"({self.left_out} earlier messages are left out here)")
        return "\n\n".join(told)

    def messages(self) -> list[JsonValue]:
        """Return it for a function: an object with `source` and `text` for each message."""
        return [{"source": line.source, "text": line.text} for line in self.lines]


def shortened(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, the last of which says that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
