"""A reply while it is being written, carried by heartbeats: it reaches every client and costs no history."""

from __future__ import annotations

import time
from collections.abc import Sequence

from temporalio import activity

from aos.streaming import PartialReply

_TAIL_CHARS = 64 * 1024
_PAUSE = 0.05


class StreamedText:
    """Gathers the pieces of a reply and tells of them in heartbeats.

    Temporal's server keeps only the last heartbeat, so each carries the text so far.
    """

    def __init__(self, answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self._text = ""
        self._beat_at = 0.0

    def details(self) -> PartialReply:
        """Return the text so far."""
        return PartialReply(answers=self._answers, text=self._text[-_TAIL_CHARS:], length=len(self._text))

    def add(self, piece: str) -> None:
        """Take the next piece, and tell of it unless another was told of just now."""
        self._text += piece
        now = time.monotonic()
        if now - self._beat_at >= _PAUSE:
            self._beat_at = now
            activity.heartbeat(self.details())
