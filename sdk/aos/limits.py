"""Sizes that AOS guards before Temporal would, because an oversize payload leaves a workflow stuck."""

from __future__ import annotations

MESSAGE_BYTES = 1024 * 1024
"""Largest message, as JSON. Temporal refuses a payload over 2 MiB, and a message is written twice."""

SPEC_BYTES = 256 * 1024
"""Largest agent spec, as JSON."""

SCHEMA_BYTES = 64 * 1024
"""Largest JSON schema of a reply, as JSON: it is carried along with every step."""

NESTING = 128
"""Deepest nesting of JSON that AOS carries along. Its reader takes 200 levels, and a state lies around it."""

OUTPUT_BYTES = 512 * 1024
"""Largest reply that is read as JSON."""

REPLY_INLINE_BYTES = 64 * 1024
"""Longest reply text carried whole; a longer one is cut and named by its reference."""

RESULT_INLINE_BYTES = 1024
"""Longest tool result that travels in history; a longer one is a reference and a preview."""

RESULT_VIEW_BYTES = 16 * 1024
"""How much of one tool result a model is shown at a time."""

ARGUMENTS_BYTES = 64 * 1024
"""Largest arguments of one tool call, as JSON."""

PREVIEW_CHARS = 160
"""Length of the previews in `inbox`, `transcript` and `dead_letters`."""


def clip(text: str, limit: int = PREVIEW_CHARS) -> str:
    """Return `text` on one line and in at most `limit` characters, the last of which says that it was cut."""
    line = " ".join(text[: limit * 4].split())
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1] + "…"


def cut_bytes(text: str, limit: int) -> str:
    """Return the longest start of `text` that is at most `limit` bytes of UTF-8."""
    data = text.encode()
    return text if len(data) <= limit else data[:limit].decode(errors="ignore")
