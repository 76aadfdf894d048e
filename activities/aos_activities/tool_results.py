"""What a tool returned, as text that a model reads and history can hold."""

from __future__ import annotations

from pydantic_core import to_json

from aos.limits import RESULT_INLINE_BYTES, cut_bytes
from aos.store import BlobStore, ref_of
from aos.tool_contracts import ToolOutcome

RESULT_BYTES = 64 * 1024 * 1024
"""Largest result that is kept."""


def as_text(result: object) -> str:
    """Return a text as it is, and anything else as JSON: bytes in base64, what JSON cannot say by its `repr`."""
    if isinstance(result, str):
        return result
    return to_json(result, bytes_mode="base64", inf_nan_mode="strings", fallback=repr).decode()


async def as_outcome(store: BlobStore, text: str, *, error: bool = False) -> ToolOutcome:
    """Return the outcome of a call: a short text whole, a longer one as its start and its reference in the store."""
    data = text.encode(errors="replace")
    if len(data) > RESULT_BYTES:
        problem = (
            f"the result has {len(data)} bytes and at most {RESULT_BYTES} are kept; have the tool return parts of it"
        )
        return ToolOutcome(text=problem, error=True)
    if len(data) <= RESULT_INLINE_BYTES:
        return ToolOutcome(text=data.decode(), error=error)
    await store.save([data])
    start = cut_bytes(data[: RESULT_INLINE_BYTES + 4].decode(errors="ignore"), RESULT_INLINE_BYTES)
    return ToolOutcome(text=start, ref=ref_of(data), size=len(data), error=error)
