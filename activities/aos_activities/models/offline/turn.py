"""The turn that the model is asked to go on with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aos.conversation import AssistantItem, Item, NoteItem, ToolCall, ToolItem, UserItem
from aos_activities.models.offline.floor import Said, floor_of
from aos_activities.models.offline.text import read
from aos_activities.models.offline.wishes import wishes

NEEDS = "To use `"
"""How a reply begins that asks for what a tool needs; the next message then completes the one before."""

_ON_ANSWERS = frozenset({"summary", "compose", "check"})
_CLOSED = re.compile(r"fail|interrupt|stopp|gave up|given up|dead letter", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be answered now, and what was done for it already."""

    before: Sequence[Item]
    """Items older than the turn."""
    messages: list[str]
    """What is to be answered: of a message by which a team gives the floor, what it wants of this member."""

    calls: list[ToolCall]
    results: list[ToolItem]
    answers: tuple[Said, ...] = ()
    """What others in a team have said, where the turn is work on that."""

    in_team: bool = False
    """Whether a team gave the floor."""

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
    asked = [
        _asked(item, items[:place]) for place, item in enumerate(items[start:], start) if isinstance(item, UserItem)
    ]
    messages = [text for text, _ in asked]
    if (
        start
        and isinstance(said := items[start - 1], AssistantItem)
        and said.text.startswith(NEEDS)
        and not wishes(messages[0])
    ):
        earlier = [item.text for item in items[:start] if isinstance(item, UserItem)][-1:]
        messages[0] = "\n".join([*earlier, messages[0]])
    return Turn(
        items[:start],
        messages,
        [call for item in inside if isinstance(item, AssistantItem) for call in item.tool_calls],
        [item for item in inside if isinstance(item, ToolItem)],
        tuple(answer for _, answers in asked for answer in answers),
        any(isinstance(item, UserItem) and floor_of(item) for item in inside),
    )


def _asked(item: UserItem, before: Sequence[Item]) -> tuple[str, tuple[Said, ...]]:
    """Return what a message asks: the whole of it, or in a team the member's role, the task, or both.

    A role that is work on what others said comes in place of the task, and with what they said; one that only says who
    somebody is counts for nothing.
    """
    floor = floor_of(item)
    if floor is None:
        return item.text, ()
    role, task = floor.role, floor.task
    for older in reversed(before):
        if role and task:
            break
        if isinstance(older, UserItem) and older.sender == item.sender and (earlier := floor_of(older)):
            role, task = role or earlier.role, task or earlier.task
    kinds = {wish.kind for wish in wishes(role)}
    if floor.answers and kinds & _ON_ANSWERS:
        return role, floor.answers
    wanted = task if floor.said else floor.rest or task
    works = bool(kinds) or any(sentence.requests for sentence in read(role).sentences)
    return "\n\n".join(part for part in (role if works else "", wanted) if part) or item.text, ()


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
