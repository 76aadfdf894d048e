"""Graph: members speak along edges, which part, join and lead back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, JsonValue

from aos.strategy import FUNCTION, Graph
from aos.wire import Wire
from aos_workflows.team.course import Answer, Card, Consult, Finish, Move, Said
from aos_workflows.team.courses.base import Base, failed, listed, names, present


class Question(Wire):
    """A condition that a function decides on: the number of its edge, and what the edge's source said."""

    edge: int
    text: str = ""


class GraphCourse(Base):
    """A step is all who speak at once. Edges are looked at as each has spoken; after the last the next step begins.

    `taken` are the numbers of the edges that were taken and have not led to a turn yet. `batch` are those who speak in
    this step, and `mute` those whose turn in it went by without a word. `silent` says why, of all whose last turn did.
    `questions` are to be asked of functions, the first one first.
    """

    type: Literal["graph"] = "graph"
    strategy: Graph
    taken: list[int] = Field(default_factory=list[int])
    batch: list[str] = Field(default_factory=list[str])
    mute: list[str] = Field(default_factory=list[str])
    silent: dict[str, str] = Field(default_factory=dict[str, str])
    questions: list[Question] = Field(default_factory=list[Question])

    def begin(self, task: Said, cards: Sequence[Card]) -> Move:
        """Those without an edge into them speak, or the ones that the graph names."""
        if not present(cards):
            return self._nobody(cards)
        targets = {edge.target for edge in self.strategy.edges}
        start = self.strategy.start or [name for name in names(cards) if name not in targets]
        if not start:
            return failed("the graph has no start: every member has an edge into it; name some in start")
        return self._step(start, cards)

    def heard(self, said: Said, cards: Sequence[Card]) -> Move | None:
        """See which edges are taken."""
        in_step = said.source in self.speaking
        self._has_spoken(said)
        self.silent.pop(said.source, None)
        if in_step:
            self._follow(said.source, said.text)
        return None if self.consulting else self._ask() or self._end_of_step(cards)

    def lost(self, member: str, reason: str, cards: Sequence[Card]) -> Move | None:
        """It has had its turn and said nothing: only edges without a condition are taken."""
        in_step = member in self.speaking
        self._is_lost(member, reason)
        if in_step:
            self._pass_over(member, self.missed[member])
        return None if self.consulting else self._ask() or self._end_of_step(cards)

    def consulted(self, answer: Answer, cards: Sequence[Card]) -> Move | None:
        """Take the edge that was asked about, or not."""
        self.consulting = False
        if self.questions:
            question = self.questions.pop(0)
            edge = self.strategy.edges[question.edge]
            if answer.error:
                told = f"the edge from {edge.source} to {edge.target}"
                return failed(f"the condition {edge.condition} of {told} failed: {answer.error}")
            if answer.output is True or answer.text.strip().lower() == "true":
                self._take(question.edge)
        return self._ask() or self._end_of_step(cards)

    def ledger(self) -> dict[str, JsonValue]:
        """Return the edges that were taken and wait for others, and who speaks in this step."""
        edges = [self.strategy.edges[number] for number in self.taken]
        step: list[JsonValue] = [*self.batch]
        return {"step": step, "taken": [f"{edge.source} -> {edge.target}" for edge in edges]}

    def _follow(self, source: str, text: str | None) -> None:
        """Take the edges out of `source` that what it said opens; None: it said nothing."""
        for number, edge in enumerate(self.strategy.edges):
            if edge.source != source:
                continue
            if not edge.condition:
                self._take(number)
            elif text is None:
                continue
            elif edge.condition.startswith(FUNCTION):
                self.questions.append(Question(edge=number, text=text))
            elif edge.condition in text:
                self._take(number)

    def _pass_over(self, member: str, reason: str) -> None:
        """Let the turn of `member` go by without a word."""
        self.mute.append(member)
        self.silent[member] = reason
        self._follow(member, None)

    def _take(self, number: int) -> None:
        if number not in self.taken:
            self.taken.append(number)

    def _ask(self) -> Move | None:
        if not self.questions:
            return None
        question = self.questions[0]
        tool = self.strategy.edges[question.edge].condition.removeprefix(FUNCTION)
        return self._consult(Consult(kind="function", tool=tool, arguments={"text": question.text}))

    def _end_of_step(self, cards: Sequence[Card]) -> Move | None:
        """Return the next step where this one is over."""
        if self.speaking:
            return None
        return self._step(self._ready(), cards)

    def _step(self, ready: Sequence[str], cards: Sequence[Card]) -> Move:
        """Have those speak who are ready. Who is gone has had its turn at once, each at most once a step."""
        here, passed = set(names(present(cards))), set[str]()
        speakers = list[str]()
        while ready:
            for name in ready:
                if name in here:
                    speakers.append(name)
                elif name not in passed:
                    passed.add(name)
                    self._pass_over(name, "it is not in the team")
            ready = self._ready()
        if not speakers:
            return self._over()
        if all(name in self.missed for name in speakers):
            # A loop of those who cannot speak would go round for ever.
            return self._nobody(cards)
        order = {name: place for place, name in enumerate(names(cards))}
        self.batch = sorted(set(speakers), key=lambda name: order[name])
        self.mute.clear()
        return self._speak(self.batch)

    def _ready(self) -> list[str]:
        """Return those of whose groups of edges one is complete, and begin these groups anew."""
        taken = set(self.taken)
        complete: dict[tuple[str, str], bool] = {}
        for number, edge in enumerate(self.strategy.edges):
            group, one = (edge.target, edge.group), number in taken
            if edge.when == "any":
                complete[group] = complete.get(group, False) or one
            else:
                complete[group] = complete.get(group, True) and one
        # In the order of the edges, for that of a set would differ from one process to the next.
        done = [group for group, whole in complete.items() if whole]
        begun, edges = set(done), self.strategy.edges
        self.taken = [number for number in self.taken if (edges[number].target, edges[number].group) not in begun]
        return list(dict.fromkeys(target for target, _ in done))

    def _over(self) -> Finish:
        """Return the end: the graph is through, or nobody can go on because of those who said nothing."""
        told = listed(f"{name} ({reason})" for name, reason in list(self.silent.items())[:10])
        cut_off = any(edge.condition and edge.source in self.mute for edge in self.strategy.edges)
        if self.mute and (cut_off or not set(self.batch) - set(self.mute)):
            return failed(f"nobody can go on without what these would have said: {told}")
        return Finish("nobody is left to speak" + (f"; without {told}" if told else ""))
