"""What AOS itself says to a model, in words that every provider carries."""

from __future__ import annotations

import json
from typing import Any

from aos.conversation import NoteItem, SummaryItem


def aside(item: NoteItem | SummaryItem) -> str:
    """Return the text of what no person said, marked as such."""
    if isinstance(item, SummaryItem):
        return f"[summary of the conversation before this point]\n{item.text}"
    return f"[note from the system]\n{item.text}"


def schema_instruction(schema: dict[str, Any]) -> str:
    """Return what tells a model that its answer must fit a JSON schema."""
    return (
        "Your final answer must be one JSON value that fits the JSON schema below: no words before or after it, "
        f"no code fence.\n{json.dumps(schema, ensure_ascii=False)}"
    )
