"""Swarm: whoever speaks says who is next, by handing on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from aos_workflows.team.course import Answer, Card, Finish, Move, Said
from aos_workflows.team.courses.base import Base, failed, listed, names


class SwarmCourse(Base):
    """The first begins, or whom the task is handed on to; the same goes on until it hands on.

    Where `natural`, the task ends with what somebody says who hands on to nobody, or to somebody outside of the team.
    `handed_by` is who handed on to the one who speaks; `known` are all who ever were in the team: handing on to one of
    these who has left is no mistake.
    """

    type: Literal["swarm"] = "swarm"
    natural: bool = False
    current: str = ""
    handed_by: str = ""
    known: list[str] = Field(default_factory=list[str])

    def begin(self, task: Said, cards: Sequence[Card]) -> Move:
        """The first speaks, or whom the task names."""
        self._meet(cards)
        return self._hand_on(task.source, task.handoff, cards) if task.handoff else self._go_on(cards)

    def heard(self, said: Said, cards: Sequence[Card]) -> Move | None:
        """Whom it was handed on to speaks, or the same."""
        self._has_spoken(said)
        self._meet(cards)
        if self.natural:
            if said.stop:
                return Finish(f"{said.source} said that the task is done")
            if not said.handoff:
                return Finish(f"{said.source} handed on to nobody")
            if said.handoff not in self.known:
                return Finish(f"{said.source} handed on to {said.handoff}, outside of the team")
        if self.busy:
            return None
        return self._hand_on(said.source, said.handoff, cards) if said.handoff else self._go_on(cards)

    def lost(self, member: str, reason: str, cards: Sequence[Card]) -> Move | None:
        """It goes back to who handed on, or to the first who can speak."""
        self._is_lost(member, reason)
        self._meet(cards)
        if self.busy:
            return None
        self.current, self.handed_by = self.handed_by, ""
        return self._go_on(cards, f"{member} cannot speak: {self.missed[member]}")

    def consulted(self, answer: Answer, cards: Sequence[Card]) -> Move | None:
        """Nothing is ever asked."""
        self.consulting = False
        return None if self.busy else self._go_on(cards)

    def _hand_on(self, source: str, target: str, cards: Sequence[Card]) -> Move:
        if target in names(self._reachable(cards)):
            self.current, self.handed_by = target, source
            return self._speak([target])
        if target not in self.known:
            return failed(f"{source} handed on to {target!r}, who is no member; there are {listed(names(cards))}")
        return self._go_on(cards, f"{target} is not in the team any more; hand on to somebody else")

    def _go_on(self, cards: Sequence[Card], told: str = "") -> Move:
        """Have the same speak, or the first who can where that one is gone."""
        reachable = names(self._reachable(cards))
        if not reachable:
            return self._nobody(cards)
        if self.current not in reachable:
            self.current, self.handed_by = reachable[0], ""
        return self._speak([self.current], told)

    def _meet(self, cards: Sequence[Card]) -> None:
        met = set(self.known)
        self.known += [name for name in names(cards) if name not in met]
