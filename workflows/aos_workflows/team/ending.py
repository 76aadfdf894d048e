"""When a task is over: what became of each condition of its termination."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field, JsonValue

from aos.conversation import Usage
from aos.termination import AllOf, AnyOf, Function, Money, Termination, Timeout
from aos.wire import Wire
from aos_workflows.team.course import Consult, Said
from aos_workflows.team.watch import Watch

EARLY = 0.001
"""How much too early a timer may go off, in seconds."""


class Ending(Wire):
    """What is known of the conditions under which a task is over.

    A condition that has held holds for good: `all` waits for the rest, which may hold at different times. `watches`
    are those of the expression's conditions, in the order in which they stand there.
    """

    termination: Termination | None = None
    watches: list[Watch] = Field(default_factory=list[Watch])
    began: float | None = None
    looks: int = 0
    outside: bool = False
    asked: list[int] = Field(default_factory=list[int])
    """Numbers of the watches whose questions are under way."""

    @classmethod
    def of(cls, termination: Termination | None) -> Ending:
        """Return the ending of a new task."""
        return cls(termination=termination, watches=[Watch() for _ in _leaves(termination)])

    def look(self, said: Sequence[Said], now: float) -> str | None:
        """Take in what was said since the last look, and say why the task is over, or None while it is not.

        `now` is in seconds since 1970. The task counts as begun at the first look.
        """
        if self.began is None:
            self.began = now
        self.looks += 1
        for condition, watch in zip(_leaves(self.termination), self.watches, strict=True):
            if watch.why:
                continue
            match condition:
                case Timeout(after=after):
                    if now >= self.began + after - EARLY:
                        watch.hold(f"{after:g} s went by", self.looks)
                case _:
                    watch.take_in(condition, said, outside=self.outside, look=self.looks)
        return self.reason

    def charge(self, usage: Usage) -> None:
        """Count what a model call of the team itself cost, such as one that selects who is next."""
        for condition, watch in zip(_leaves(self.termination), self.watches, strict=True):
            if isinstance(condition, Money):
                watch.usage += usage

    def end_outside(self) -> None:
        """Somebody outside asks that the task be over: `External` conditions hold at the next look."""
        self.outside = True

    def questions(self) -> list[Consult]:
        """Return what has to be asked of functions after a look. `answered` is told by their places in this list.

        To be called again only when each was answered, or when those that were not are given up.
        """
        self.asked = []
        questions: list[Consult] = []
        for number, (condition, watch) in enumerate(zip(_leaves(self.termination), self.watches, strict=True)):
            if not isinstance(condition, Function) or watch.why or not watch.unasked:
                continue
            self.asked.append(number)
            watch.asking = len(watch.unasked)
            messages: list[JsonValue] = [{"source": line.source, "text": line.text} for line in watch.unasked]
            questions.append(Consult(kind="function", tool=condition.tool, arguments={"messages": messages}))
        return questions

    def answered(self, index: int, holds: bool) -> str | None:
        """Take in what the function at `index` of `questions` answered, and say why the task is over, as `look`."""
        watch, condition = self.watches[self.asked[index]], _leaves(self.termination)[self.asked[index]]
        del watch.unasked[: watch.asking]
        watch.asking = 0
        self.looks += 1
        if holds and isinstance(condition, Function) and not watch.why:
            watch.hold(f"the function {condition.tool} says so", self.looks)
        return self.reason

    @property
    def reason(self) -> str | None:
        """Why the task is over: which conditions hold, and the facts; None while it is not."""
        return ", ".join(watch.why for _, watch in self._holding()) or None

    @property
    def hit(self) -> list[str]:
        """The types of the conditions for which the task is over, in the order in which they came to hold."""
        return [condition.type for condition, _ in self._holding()]

    @property
    def due(self) -> float | None:
        """When a time-out can hold next, in seconds since 1970."""
        if self.began is None:
            return None
        began = self.began
        return min(
            (
                began + condition.after
                for condition, watch in zip(_leaves(self.termination), self.watches, strict=True)
                if isinstance(condition, Timeout) and not watch.why
            ),
            default=None,
        )

    def _holding(self) -> list[tuple[Termination, Watch]]:
        if self.termination is None:
            return []
        pairs = iter(list(zip(_leaves(self.termination), self.watches, strict=True)))
        return sorted(_holding(self.termination, pairs), key=lambda pair: pair[1].held_at)


def _leaves(termination: Termination | None) -> list[Termination]:
    """Return the conditions that an expression is made of, from left to right."""
    if termination is None:
        return []
    if isinstance(termination, AnyOf | AllOf):
        return [leaf for part in termination.of for leaf in _leaves(part)]
    return [termination]


def _holding(termination: Termination, pairs: Iterator[tuple[Termination, Watch]]) -> list[tuple[Termination, Watch]]:
    """Return the conditions by which `termination` holds, none where it does not. `pairs` are those of its leaves."""
    if isinstance(termination, AnyOf | AllOf):
        parts = [_holding(part, pairs) for part in termination.of]
        if isinstance(termination, AllOf) and not all(parts):
            return []
        return [pair for part in parts for pair in part]
    pair = next(pairs)
    return [pair] if pair[1].why else []
