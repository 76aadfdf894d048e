"""The turn that the model is asked to go on with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aos.conversation import AssistantItem, Item, NoteItem, ToolCall, ToolItem, UserItem
from aos_activities.models.offline.wishes import wishes

NEEDS = "To use `"
"""How a reply begins that asks for what a tool needs; the next message then completes the one before."""

_CLOSED = re.compile(r"fail|interrupt|stopp|gave up|given up|dead letter", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be answered now, and what was done for it already."""

    before: Sequence[Item]
    """Items older than the turn."""
    messages: list[str]
    calls: list[ToolCall]
    results: list[ToolItem]

    @property
    def text(self) -> str:
        """All that is to be answered."""
        return "\n\n".join(self.messages)

    def has_called(self, name: str, arguments: object) -> bool:
        """Return whether the turn has made this very call."""
        return any(call.name == name and call.arguments == arguments for call in self.calls)


def turn_of(items: Sequence[Item]) -> Turn:
    """Return the turn that `items` end with: all messages since the last final answer, and what followed them."""
    last = next((place for place in range(len(items) - 1, -1, -1) if isinstance(items[place], UserItem)), None)
    if last is None:
        return Turn(items, [], [], [])
    start = _start(items, last)
    inside = items[start:]
    messages = [item.text for item in inside if isinstance(item, UserItem)]
    if (
        start
        and isinstance(asked := items[start - 1], AssistantItem)
        and asked.text.startswith(NEEDS)
        and not wishes(messages[0])
    ):
        earlier = [item.text for item in items[:start] if isinstance(item, UserItem)][-1:]
        messages[0] = "\n".join([*earlier, messages[0]])
    return Turn(
        items[:start],
        messages,
        [call for item in inside if isinstance(item, AssistantItem) for call in item.tool_calls],
        [item for item in inside if isinstance(item, ToolItem)],
    )


def _start(items: Sequence[Item], last: int) -> int:
    start = last
    for place in range(last - 1, -1, -1):
        item = items[place]
        if isinstance(item, AssistantItem) and not item.tool_calls:
            break
        if isinstance(item, NoteItem) and _CLOSED.search(item.text):
            break
        if isinstance(item, UserItem):
            start = place
    return start
