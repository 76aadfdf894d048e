"""What every course keeps: who speaks, what is being asked, and who could not be reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field, JsonValue

from aos.limits import clip
from aos.wire import Wire
from aos_workflows.team.course import Card, Consult, Finish, Said, Speak

REASON_CHARS = 500
"""Longest reason for which a member could not speak that is kept, in characters."""


class Base(Wire):
    """What every course keeps.

    `speaking` are those who were asked and have neither answered nor been lost, in the order in which they were asked.
    `consulting`: a consultation is under way. `missed` are those who were lost since somebody spoke last, with the
    reason. `turns` counts what members said.
    """

    speaking: list[str] = Field(default_factory=list[str])
    consulting: bool = False
    missed: dict[str, str] = Field(default_factory=dict[str, str])
    turns: int = 0

    @property
    def busy(self) -> bool:
        """Whether something is waited for."""
        return self.consulting or bool(self.speaking)

    def ledger(self) -> dict[str, JsonValue]:
        """Return what people are shown of how the task goes, besides who speaks."""
        return {}

    def _speak(self, members: Iterable[str], told: str = "", *, alone: bool = False) -> Speak:
        asked = tuple(members)
        self.speaking += asked
        return Speak(asked, told=told, alone=alone)

    def _consult(self, consult: Consult) -> Consult:
        self.consulting = True
        return consult

    def _has_spoken(self, said: Said) -> None:
        self._is_done(said.source)
        self.missed.clear()
        self.turns += 1

    def _is_lost(self, member: str, reason: str) -> None:
        self._is_done(member)
        self.missed[member] = clip(reason, REASON_CHARS)

    def _is_done(self, member: str) -> None:
        if member in self.speaking:
            self.speaking.remove(member)

    def _reachable(self, cards: Sequence[Card]) -> list[Card]:
        """Return those who are there, but for those who were lost since somebody spoke last."""
        return [card for card in present(cards) if card.name not in self.missed]

    def _nobody(self, cards: Sequence[Card]) -> Finish:
        """Return the end of a task that nobody can go on with."""
        if not present(cards):
            return failed("the team has no members left" + self._why_missed(" (", ")"))
        return failed("no member can speak" + self._why_missed(": "))

    def _why_missed(self, before: str, after: str = "") -> str:
        told = "; ".join(f"{name}: {reason}" for name, reason in list(self.missed.items())[:10])
        return f"{before}{told}{after}" if told else ""


def present(cards: Sequence[Card]) -> list[Card]:
    """Return those who are there."""
    return [card for card in cards if not card.gone]


def names(cards: Iterable[Card]) -> list[str]:
    """Return what members are called."""
    return [card.name for card in cards]


def failed(reason: str, text: str | None = None) -> Finish:
    """Return the end of a task that could not be done."""
    return Finish(reason, text=text, failed=True)


def listed(texts: Iterable[str]) -> str:
    """Return names as they stand in a sentence."""
    return ", ".join(texts)
