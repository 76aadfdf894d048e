"""By skill: the member that has the skill which the task needs, and least to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from aos_workflows.team.course import Answer, Card, Consult, Finish, Move, Said
from aos_workflows.team.courses.base import Base, failed, present


class BySkillCourse(Base):
    """One does the task; where it fails, the next takes it up, and in the end an agent outside of the team.

    `skill` is what is needed; empty: anybody will do. `tried` are those who had their turn and failed. `outside` are
    agents that are not in the team, None as long as none were looked for.
    """

    type: Literal["by_skill"] = "by_skill"
    skill: str = ""
    tried: list[str] = Field(default_factory=list[str])
    outside: list[str] | None = None

    def begin(self, task: Said, cards: Sequence[Card]) -> Move:
        """The one with least to do speaks, of those who have the skill."""
        return self._next(cards)

    def heard(self, said: Said, cards: Sequence[Card]) -> Move | None:
        """It is done."""
        self._has_spoken(said)
        return Finish(f"{said.source} did it")

    def lost(self, member: str, reason: str, cards: Sequence[Card]) -> Move | None:
        """The next takes it up."""
        self._is_lost(member, reason)
        return None if self.busy else self._next(cards)

    def consulted(self, answer: Answer, cards: Sequence[Card]) -> Move | None:
        """Turn to the agents that were found."""
        self.consulting = False
        if self.outside is None:
            found = answer.output if isinstance(answer.output, list) else []
            # A bare name would be taken for that of a member.
            self.outside = [address for address in found if isinstance(address, str) and "/" in address]
            if answer.error:
                self.missed["agents outside of the team"] = answer.error
        return None if self.busy else self._next(cards)

    def _next(self, cards: Sequence[Card]) -> Move:
        fit = [card for card in present(cards) if card.name not in self.tried and self._has_skill(card)]
        if fit:
            # Among equals the first in the roster.
            return self._turn_to(min(fit, key=lambda card: card.load).name)
        if self.skill and self.outside is None:
            return self._consult(Consult(kind="agents", skill=self.skill))
        if untried := [address for address in self.outside or [] if address not in self.tried]:
            return self._turn_to(untried[0])
        if not self.tried and not self.skill:
            return self._nobody(cards)
        needed = (
            f"nobody {'else ' if self.tried else ''}has the skill {self.skill!r}" if self.skill else "nobody is left"
        )
        return failed(needed + self._why_missed("; "))

    def _turn_to(self, name: str) -> Move:
        self.tried.append(name)
        return self._speak([name])

    def _has_skill(self, card: Card) -> bool:
        return not self.skill or self.skill.casefold() in [skill.casefold() for skill in card.skills]
