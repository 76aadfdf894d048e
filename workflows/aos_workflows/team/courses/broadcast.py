"""Broadcast: all members work on the task at once, and what they said is merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, JsonValue

from aos.strategy import Arbiter, Broadcast
from aos_workflows.team.course import Answer, Card, Finish, Move, Said
from aos_workflows.team.courses.arbitration import Arbitration
from aos_workflows.team.courses.base import Base, failed, names, present
from aos_workflows.team.courses.merging import Given, Ruling, below_each_other, claims_in, most_given

MERGE = "Write one answer to the task out of what the others said."


class BroadcastCourse(Base):
    """First all answer, then what they said is merged.

    `given` are the answers, `asked` who was asked for one, `unheard` who could not give it, with the reason.
    `arbitration` is the contradiction that is being settled, `rulings` how those before were.
    """

    type: Literal["broadcast"] = "broadcast"
    strategy: Broadcast
    purpose: str = ""
    task: Said = Field(default_factory=lambda: Said(source=""))
    step: Literal["work", "merge", "arbitrate"] = "work"
    asked: list[str] = Field(default_factory=list[str])
    given: list[Given] = Field(default_factory=list[Given])
    unheard: dict[str, str] = Field(default_factory=dict[str, str])
    roster: int = 0
    """How many were in the team when it was last looked who is to be asked."""
    arbitration: Arbitration | None = None
    rulings: list[Ruling] = Field(default_factory=list[Ruling])

    def begin(self, task: Said, cards: Sequence[Card]) -> Move:
        """All speak."""
        self.task, self.roster = task, len(cards)
        self.asked = self._workers(cards) or names(present(cards))
        return self._speak(self.asked) if self.asked else self._nobody(cards)

    def heard(self, said: Said, cards: Sequence[Card]) -> Move | None:
        """Note the answer, and merge after the last."""
        self._has_spoken(said)
        match self.step:
            case "merge":
                return Finish(f"{said.source} merged {len(self.given)} answers" + self._without())
            case "arbitrate":
                return self._heard_of_ruling(said)
            case "work":
                pass
        self.given.append(Given.of(said, len(self.asked)))
        self.unheard.pop(said.source, None)
        if self.strategy.merge == "first":
            return Finish(f"{said.source} answered first")
        return self._go_on(cards)

    def lost(self, member: str, reason: str, cards: Sequence[Card]) -> Move | None:
        """Go on without it."""
        self._is_lost(member, reason)
        match self.step:
            case "merge":
                return self._list(f"{member} could not merge them: {self.missed[member]}")
            case "arbitrate":
                return self._lost_for_ruling(member)
            case "work":
                self.unheard[member] = self.missed[member]
                return self._go_on(cards)

    def consulted(self, answer: Answer, cards: Sequence[Card]) -> Move | None:
        """Take in the ruling."""
        self.consulting = False
        if self.arbitration is None:
            return None if self.busy else self._merge(cards)
        ruling = self.arbitration.consulted(answer)
        return self._ruled(ruling) if ruling else self._consult(self.arbitration.consult())

    def ledger(self) -> dict[str, JsonValue]:
        """Return who answered, who could not, and the rulings."""
        answered: list[JsonValue] = [given.source for given in self.given]
        rulings: list[JsonValue] = [ruling.model_dump(mode="json") for ruling in self.rulings]
        return {"answered": answered, "unheard": {**self.unheard}, "rulings": rulings}

    def _workers(self, cards: Sequence[Card]) -> list[str]:
        """Return who is to work on the task: all but whom another part is kept for."""
        here = names(present(cards))
        arbiter = self.strategy.arbiter
        apart = {self.strategy.merger, arbiter.member if arbiter else ""}
        return [name for name in here if name not in apart]

    def _go_on(self, cards: Sequence[Card]) -> Move | None:
        """Ask those who have joined since; when all have answered, merge.

        While somebody speaks they are looked for only where there are more members than before, or fewer.
        """
        if self.busy and len(cards) == self.roster:
            return None
        self.roster = len(cards)
        before = set(self.asked)
        new = [name for name in self._workers(cards) if name not in before]
        if new:
            self.asked += new
            # They work on it by themselves as the others did, but have to be told a long task in whole.
            return self._speak(new, "" if self.task.ref else self.task.text, alone=not self.task.ref)
        return None if self.busy else self._merge(cards)

    def _merge(self, cards: Sequence[Card]) -> Move:
        if not self.given:
            told = "; ".join(f"{name}: {reason}" for name, reason in list(self.unheard.items())[:10])
            return failed(f"no member answered: {told}" if told else "no member answered")
        # In the order of the roster and not of their coming, so that the same answers make the same result.
        order = {name: place for place, name in enumerate(names(cards))}
        self.given.sort(key=lambda given: order.get(given.source, len(order)))
        match self.strategy.merge:
            case "vote":
                return self._vote()
            case "member":
                return self._have_merged(cards)
            case "arbitrate":
                return self._arbitrate(cards)
            case _:
                return self._list()

    def _list(self, remark: str = "") -> Finish:
        reason = f"{len(self.given)} answered" + self._without()
        return Finish(f"{reason}; {remark}" if remark else reason, text=below_each_other(self.given))

    def _vote(self) -> Finish:
        claims = claims_in(self.given)
        claim = claims[most_given(claims) - 1]
        told = f"{len(claim.sources)} of {len(self.given)} gave this answer"
        return Finish(told + self._without(), text=claim.text, ref=claim.ref)

    def _have_merged(self, cards: Sequence[Card]) -> Move:
        merger = self.strategy.merger
        if merger not in names(present(cards)):
            return self._list(f"{merger}, who was to merge them, is not in the team any more")
        self.step = "merge"
        return self._speak([merger], MERGE)

    def _arbitrate(self, cards: Sequence[Card]) -> Move:
        claims = claims_in(self.given)
        if len(claims) == 1:
            told = f"all {len(self.given)} gave this answer"
            return Finish(told + self._without(), text=claims[0].text, ref=claims[0].ref)
        self.step = "arbitrate"
        arbiter = self.strategy.arbiter or Arbiter()
        self.arbitration = Arbitration(arbiter=arbiter, task=self.task.text, purpose=self.purpose, claims=claims)
        if arbiter.by in ("rule", "model"):
            return self._consult(self.arbitration.consult())
        here = names(present(cards))
        judges = [name for name in here if arbiter.by == "vote" or name == arbiter.member]
        if not judges:
            return self._ruled(
                self.arbitration.by_count(f"{arbiter.member or 'whoever could vote'} is not in the team")
            )
        return self._speak(judges, self.arbitration.question(), alone=True)

    def _heard_of_ruling(self, said: Said) -> Move | None:
        assert self.arbitration is not None
        if self.arbitration.arbiter.by == "member":
            return self._ruled(self.arbitration.judged(said))
        self.arbitration.vote(said)
        return None if self.busy else self._ruled(self.arbitration.counted())

    def _lost_for_ruling(self, member: str) -> Move | None:
        assert self.arbitration is not None
        if self.arbitration.arbiter.by == "member":
            return self._ruled(self.arbitration.by_count(f"{member} gave no ruling: {self.missed[member]}"))
        return None if self.busy else self._ruled(self.arbitration.counted())

    def _ruled(self, ruling: Ruling) -> Finish:
        assert self.arbitration is not None
        claim = self.arbitration.claims[ruling.chosen - 1]
        self.rulings.append(ruling)
        self.arbitration = None
        told = f"{len(ruling.claims)} answers contradicted each other; settled by {ruling.by}: {ruling.reason}"
        return Finish(told + self._without(), text=claim.text, ref=claim.ref)

    def _without(self) -> str:
        if not self.unheard:
            return ""
        told = "; ".join(f"{name} ({reason})" for name, reason in list(self.unheard.items())[:10])
        return f", without {told}"
