"""Reading back from the store, for those who cannot reach it themselves."""

from __future__ import annotations

from aos.views import TranscriptPage
from aos.wire import Wire

READ_BACK_WORKFLOW = "ReadBack"
"""Workflow type of a short workflow that reads, so that no agent's history grows by it."""


class ReadTranscript(Wire):
    """Asks for the `limit` newest items of the conversation that `head` names, leaving out the `skip` newest."""

    head: str
    limit: int = 50
    skip: int = 0


class ReadBlob(Wire):
    """Asks for a stored text, from a byte on."""

    ref: str
    offset: int = 0


class BlobPage(Wire):
    """Part of a text; `size` is in bytes, `next_offset` is 0 at its end."""

    text: str
    size: int
    next_offset: int = 0


class ReadBackRequest(Wire):
    """What to read: part of a transcript, or part of a stored text."""

    transcript: ReadTranscript | None = None
    blob: ReadBlob | None = None


class ReadBackResult(Wire):
    """What was read."""

    transcript: TranscriptPage | None = None
    blob: BlobPage | None = None
