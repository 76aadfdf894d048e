"""What a message carries besides its text, and what the store has, as text that a model is shown."""

from __future__ import annotations

import json

from aos.errors import BlobMissing
from aos.limits import RESULT_VIEW_BYTES, cut_bytes
from aos.parts import BlobPart, DataPart
from aos.store import BlobStore

_TEXTS = ("text/", "application/json", "application/xml", "application/yaml", "application/x-ndjson")


def as_shown(data: bytes, ref: str) -> str:
    """Return as much of a stored text as a model is shown at a time, and how it reads on."""
    whole = data.decode(errors="replace")
    text = cut_bytes(whole, RESULT_VIEW_BYTES)
    if len(text) == len(whole):
        return text
    shown = len(text.encode())
    return f"{text}\n[cut: {shown} of {len(data)} bytes; read_result(ref={ref!r}, offset={shown}) reads on]"


async def part_as_text(part: DataPart | BlobPart, store: BlobStore) -> str:
    """Return a part of a message as a model is shown it."""
    name = f" {part.name}" if part.name else ""
    if isinstance(part, DataPart):
        return f"[data{name}]\n{json.dumps(part.data, ensure_ascii=False)}"
    kind = f"[{part.media_type}{name}, ref={part.ref!r}]"
    if not part.media_type.startswith(_TEXTS):
        return f"{kind}\n[it is no text, so it is not shown]"
    try:
        return f"{kind}\n{as_shown(await store.load(part.ref), part.ref)}"
    except BlobMissing as error:
        return f"{kind}\n[{error}]"
