"""Round robin: each member in turn, in the order of the roster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from aos_workflows.team.course import Answer, Card, Finish, Move, Said
from aos_workflows.team.courses.base import Base, names


class RoundRobinCourse(Base):
    """Each in turn, for ever, or once where `natural`: after a round.

    The place in the round is a name, so that it stays where it is while others come and go: `last` was asked last, or
    is who came before it and is still there. `roster` is the order as it was then; `asked` who had a turn in the
    round, where there is but one.
    """

    type: Literal["round_robin"] = "round_robin"
    natural: bool = False
    last: str = ""
    roster: list[str] = Field(default_factory=list[str])
    asked: list[str] = Field(default_factory=list[str])

    def begin(self, task: Said, cards: Sequence[Card]) -> Move:
        """The first speaks."""
        return self._next(cards)

    def heard(self, said: Said, cards: Sequence[Card]) -> Move | None:
        """The next speaks."""
        self._has_spoken(said)
        if self.natural and said.stop:
            return Finish(f"{said.source} said that the task is done")
        return None if self.busy else self._next(cards)

    def lost(self, member: str, reason: str, cards: Sequence[Card]) -> Move | None:
        """The next speaks, unless nobody is left who could."""
        self._is_lost(member, reason)
        return None if self.busy else self._next(cards)

    def consulted(self, answer: Answer, cards: Sequence[Card]) -> Move | None:
        """Nothing is ever asked."""
        self.consulting = False
        return None if self.busy else self._next(cards)

    def _next(self, cards: Sequence[Card]) -> Move:
        reachable = set(names(self._reachable(cards)))
        if not reachable:
            return self._nobody(cards)
        following = next((name for name in self._in_turn(names(cards)) if name in reachable - set(self.asked)), "")
        if not following:
            return Finish("each member has spoken once" + self._why_missed(", but for "))
        if self.natural:
            self.asked.append(following)
        self.last = following
        return self._speak([following])

    def _in_turn(self, roster: list[str]) -> list[str]:
        """Return the roster as it comes in turn now, and note it."""
        before = [*self.roster[: self.roster.index(self.last) + 1]] if self.last in self.roster else []
        self.last = next((name for name in reversed(before) if name in roster), "")
        self.roster = roster
        after = roster.index(self.last) + 1 if self.last else 0
        return [*roster[after:], *roster[:after]]
