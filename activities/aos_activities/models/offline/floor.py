"""What a team says to a member whose turn it is, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from aos.conversation import UserItem

TASK = "user"
"""Who says the task itself."""

_TEAM = "team"
"""Who says that the team has changed."""

_FIRST = re.compile(r"You are \S+ in the team \S+\.(?: Your role: (?P<role>.*))?", re.DOTALL)
_AFTER_ROLE = ("\nThe team's purpose: ", "\nWith you in it: ")
_LAST = "\nWhat follows is the task and what was said to it; answer with your part."
_AGAIN = "It is your turn again; nothing new was said."
_LINE = re.compile(r"(?P<source>[A-Za-z0-9][\w.-]{0,99}): (?P<text>.+)", re.DOTALL)
_QUOTE = re.compile(r"“(?P<text>[^\n]+?)” \(from (?P<origin>[^\n]+?)\)(?=\s|$)")
PUT_TOGETHER = "put together from"
"""How it begins when a text that was put together says from what."""

_PUT_TOGETHER = re.compile(rf"\s*\({PUT_TOGETHER} [^\n]*\)")


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said in a team's task."""

    source: str
    text: str

    @property
    def quotes(self) -> list[tuple[str, str]]:
        """The quotes in it, each with where it is said to come from."""
        return [(match["text"], match["origin"]) for match in _QUOTE.finditer(self.text)]

    @property
    def own_words(self) -> str:
        """The rest of it, without what is said of where it comes from."""
        return _PUT_TOGETHER.sub("", _QUOTE.sub(" ", self.text)).strip()


@dataclass(frozen=True, slots=True)
class Floor:
    """A message by which a team gives a member the floor. `role` is empty where the member was told it before."""

    role: str
    said: tuple[Said, ...]
    rest: str
    """What nobody in particular said."""

    @property
    def task(self) -> str:
        """The task, where the message tells it."""
        return next((said.text for said in reversed(self.said) if said.source == TASK), "")

    @property
    def answers(self) -> tuple[Said, ...]:
        """What members said."""
        return tuple(said for said in self.said if said.source not in (TASK, _TEAM))


def floor_of(item: UserItem) -> Floor | None:
    """Return what a message of a team says, or None for any other message."""
    return _read(item.text) if item.sender.startswith("team/") else None


@lru_cache(maxsize=256)
def _read(text: str) -> Floor:
    head, found, rest = text.partition(_LAST)
    first = _FIRST.fullmatch(_until_first(head, _AFTER_ROLE)) if found else None
    role = (first["role"] or "").strip() if first else ""
    said, others = list[Said](), list[str]()
    for paragraph in (rest if first else text).split("\n\n"):
        if line := _LINE.fullmatch(paragraph.strip()):
            said.append(Said(line["source"], line["text"].strip()))
        elif said:
            said[-1] = Said(said[-1].source, f"{said[-1].text}\n\n{paragraph.strip()}".strip())
        elif paragraph.strip() not in ("", _AGAIN):
            others.append(paragraph.strip())
    return Floor(role, tuple(said), "\n\n".join(others))


def _until_first(text: str, marks: tuple[str, ...]) -> str:
    return text[: min((place for mark in marks if (place := text.find(mark)) >= 0), default=len(text))]
