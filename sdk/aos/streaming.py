"""A reply while it is being written."""

from __future__ import annotations

from pydantic import Field

from aos.wire import Wire


class PartialReply(Wire):
    """The text of a reply so far, or its last part; `length` counts the characters of the whole."""

    answers: list[str] = Field(default_factory=list[str])
    text: str = ""
    length: int = 0
