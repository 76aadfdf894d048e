"""Planner: a model keeps a task ledger and a progress ledger, and says who is next and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, JsonValue

from aos.strategy import Planner
from aos_workflows.team.course import Answer, Card, Consult, Finish, Move, Said, Speak
from aos_workflows.team.courses.base import Base, failed, listed, names, present
from aos_workflows.team.courses.ledgers import (
    ANSWER,
    DONE,
    FACTS,
    NEW_FACTS,
    NEW_PLAN,
    PLAN,
    PROGRESS,
    UNDONE,
    Progress,
    progress_schema,
    read_progress,
)
from aos_workflows.team.courses.selector import described
from aos_workflows.team.courses.thread import LINE_CHARS, Thread, shortened

MOST_TRIES = 5
"""How often the model is asked for a progress ledger that wrote none which can be read."""

Step = Literal["", "facts", "plan", "progress", "answer"]


class PlannerCourse(Base):
    """The model is asked for the facts, a plan, and before each turn for the progress.

    `plans` counts the plans, `stalls` the turns without progress since the last one. `thread` is what was said since
    the plan was made. `briefed` were told of it. `end` is why the answer is being written, `gave_up` whether the task
    was not done by then: the answer says what is missing. `objection` is what is wrong with the last progress ledger,
    of which there were `tries`.
    """

    type: Literal["planner"] = "planner"
    strategy: Planner
    purpose: str = ""
    max_turns: int = 0
    task: str = ""
    facts: str = ""
    plan: str = ""
    progress: Progress | None = None
    plans: int = 0
    stalls: int = 0
    thread: Thread = Field(default_factory=Thread)
    briefed: list[str] = Field(default_factory=list[str])
    step: Step = ""
    tries: int = 0
    objection: str = ""
    end: str = ""
    gave_up: bool = False

    def begin(self, task: Said, cards: Sequence[Card]) -> Move:
        """Ask for the facts."""
        self.task = shortened(task.text, LINE_CHARS)
        return self._plan(cards)

    def heard(self, said: Said, cards: Sequence[Card]) -> Move | None:
        """Ask how it goes."""
        self._has_spoken(said)
        self.thread.add(said)
        return None if self.busy else self._go_on(cards)

    def lost(self, member: str, reason: str, cards: Sequence[Card]) -> Move | None:
        """Plan anew without that member."""
        self._is_lost(member, reason)
        self.thread.note("note", f"{member} could not speak: {self.missed[member]}")
        return None if self.busy else self._plan(cards)

    def consulted(self, answer: Answer, cards: Sequence[Card]) -> Move | None:
        """Note what the model wrote, and go on to what comes after it."""
        self.consulting = False
        step, self.step = self.step, ""
        if self.speaking:
            return None
        if answer.error and step:
            return failed(f"the planner's model failed: {answer.error}")
        text = shortened(answer.text, LINE_CHARS)
        match step:
            case "facts":
                self.facts = text
                return self._ask("plan", NEW_PLAN if self.plans else PLAN, cards)
            case "plan":
                self._begin_plan(text)
                return self._go_on(cards)
            case "progress":
                return self._judge(answer, cards)
            case "answer":
                return Finish(f"given up: {self.end}" if self.gave_up else self.end, text=answer.text)
            case _:
                return self._go_on(cards)

    def ledger(self) -> dict[str, JsonValue]:
        """Return the task ledger and the progress ledger."""
        progress: JsonValue = self.progress.model_dump(mode="json") if self.progress else None
        counts: dict[str, JsonValue] = {"plans": self.plans, "stalls": self.stalls}
        return {"facts": self.facts, "plan": self.plan, "progress": progress, **counts}

    def _plan(self, cards: Sequence[Card]) -> Move:
        """Make the first plan or a new one, unless there were too many."""
        if not self._reachable(cards):
            return self._nobody(cards)
        if self.plans >= self.strategy.max_plans:
            return self._write_answer(f"{self.plans} plans did not lead to the end", cards, gave_up=True)
        return self._ask("facts", NEW_FACTS if self.plans else FACTS, cards)

    def _begin_plan(self, plan: str) -> None:
        self.plan, self.plans, self.stalls = plan, self.plans + 1, 0
        self.thread = Thread()
        self.briefed.clear()

    def _go_on(self, cards: Sequence[Card]) -> Move:
        """Ask how it goes, unless there is nobody to go on with, or no turn left."""
        if not self._reachable(cards):
            return self._nobody(cards)
        if self.max_turns and self.turns >= self.max_turns:
            return self._write_answer(f"there were {self.turns} turns", cards, gave_up=True)
        self.tries, self.objection = 0, ""
        return self._ask_progress(cards)

    def _ask_progress(self, cards: Sequence[Card]) -> Move:
        self.tries += 1
        return self._ask("progress", PROGRESS, cards, progress_schema(names(self._reachable(cards))))

    def _judge(self, answer: Answer, cards: Sequence[Card]) -> Move:
        reachable = names(self._reachable(cards))
        if not reachable:
            return self._nobody(cards)
        try:
            progress = read_progress(answer, reachable)
        except ValueError as problem:
            if self.tries >= MOST_TRIES:
                told = f"the planner's model wrote no progress ledger in {self.tries} tries: {problem}"
                return failed(told)
            self.objection = f"\n\nYou answered: {shortened(answer.text, 2000)}\n\nThat is wrong: {problem}."
            return self._ask_progress(cards)
        self.progress = progress
        if progress.is_request_satisfied:
            return self._write_answer(progress.reason or "the task is done", cards)
        if progress.is_progress_being_made and not progress.is_in_loop:
            self.stalls = max(0, self.stalls - 1)
        else:
            self.stalls += 1
        if self.stalls >= self.strategy.max_stalls:
            return self._plan(cards)
        return self._instruct(progress, cards)

    def _instruct(self, progress: Progress, cards: Sequence[Card]) -> Speak:
        """Have the next speak, who is told of the plan where it does not know it yet."""
        member, told = progress.next_speaker, progress.instruction_or_question
        self.thread.note("planner", f"{member}, {told}")
        if member not in self.briefed:
            self.briefed.append(member)
            team = "\n".join(described(card) for card in present(cards))
            told = f"The team:\n{team}\n\nWhat is known:\n{self.facts}\n\nThe plan:\n{self.plan}\n\n{told}"
        return self._speak([member], told)

    def _write_answer(self, reason: str, cards: Sequence[Card], *, gave_up: bool = False) -> Move:
        self.end, self.gave_up = reason, gave_up
        return self._ask("answer", ANSWER, cards)

    def _ask(self, step: Step, template: str, cards: Sequence[Card], schema: dict[str, Any] | None = None) -> Consult:
        self.step = step
        reachable = self._reachable(cards)
        filled = template.format(
            task=self.task,
            purpose=f"\nThe team's purpose: {self.purpose}\n" if self.purpose else "",
            facts=self.facts,
            plan=self.plan,
            team="\n".join(described(card) for card in reachable),
            names=listed(names(reachable)),
            history=self.thread.told() or "(nothing yet)",
            end=UNDONE.format(reason=self.end) if self.gave_up else DONE,
        )
        prompt = filled + self.objection if step == "progress" else filled
        return self._consult(Consult(kind="model", models=tuple(self.strategy.model), prompt=prompt, schema=schema))
