"""A text that grows, written piece by piece: what has to be written next, so that in the end all of it stands there."""

from __future__ import annotations


class Typewriter:
    """Knows what of a growing text was written already."""

    def __init__(self) -> None:
        self._length = 0
        self._written = ""
        self._whole = True

    def go_on(self, tail: str, length: int) -> str:
        """Return what to write now that the text has `length` characters and ends with `tail`.

        A text shorter than before is a new one: the agent used a tool and goes on.
        """
        lead = ""
        if length < self._length:
            lead = "\n" if self._length else ""
            self._length, self._written, self._whole = 0, "", True
        new = length - self._length
        if new > len(tail):
            lead, self._whole, new = f"{lead}…", False, len(tail)
        piece = tail[len(tail) - new :]
        self._length = length
        self._written += piece
        return lead + piece

    def end(self, text: str) -> str:
        """Return what is left to write of the whole `text`; if something else stands there, all of it on a new line."""
        if self._whole and text.startswith(self._written):
            return text[len(self._written) :]
        return "" if self._whole and self._written.strip() == text.strip() else f"\n{text}"
