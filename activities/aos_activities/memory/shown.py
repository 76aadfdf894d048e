"""Records as models are shown them."""

from __future__ import annotations

import json

from aos.limits import RESULT_VIEW_BYTES, cut_bytes
from aos.memory import Record


def shown(record: Record, limit: int = RESULT_VIEW_BYTES) -> str:
    """Return a record with its scope, key and version, and its text and data cut to so many bytes."""
    by = f" by {record.by}" if record.by else ""
    tags = f", tags: {', '.join(record.tags)}" if record.tags else ""
    head = f"[{record.scope} {record.key}, version {record.version}, {record.kind}{by}, {record.at:%Y-%m-%d}{tags}]"
    whole = content(record)
    text = cut_bytes(whole, limit)
    return f"{head}\n{text}{' [cut]' if len(text) < len(whole) else ''}"


def content(record: Record) -> str:
    """Return what a record says: its text, and its data as JSON."""
    data = "" if record.data is None else json.dumps(record.data, ensure_ascii=False)
    return "\n".join(part for part in (record.text, data) if part)
