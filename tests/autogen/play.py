"""AOS's side: a case played through the course of its strategy and the ending of its termination, without Temporal.

Before each message that comes, the course crosses a rollover.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from pydantic import JsonValue, TypeAdapter

from aos.conversation import Usage
from aos.strategy import Strategy
from aos.termination import Termination
from aos_workflows.team.course import USER, Answer, Card, Consult, Finish, Move, Said, Speak
from aos_workflows.team.courses import course_for
from aos_workflows.team.ending import Ending
from autogen.cases import TASK, Case
from courses.stage import crossed

_STRATEGY: TypeAdapter[Strategy] = TypeAdapter(Strategy)
_TERMINATION: TypeAdapter[Termination] = TypeAdapter(Termination)
MOST = 200
"""Most turns of a case: one that needs more goes on for ever."""


def strategy_of(case: Case) -> Strategy:
    """Return the strategy of a case."""
    return _STRATEGY.validate_python(case["strategy"])


def termination_of(case: Case) -> Termination | None:
    """Return when a case is over. One that is bounded by its turns alone is never over by itself."""
    if "end" in case:
        return _TERMINATION.validate_python(_without_deeds(case["end"]))
    if case.get("max_turns") and case["strategy"]["type"] not in ("graph", "planner"):
        return _TERMINATION.validate_python({"type": "external"})
    return None


def _without_deeds(end: dict[str, Any]) -> dict[str, Any]:
    if "of" in end:
        return {**end, "of": [_without_deeds(part) for part in end["of"]]}
    return {name: value for name, value in end.items() if name != "does"}


def said_by(name: str, reply: dict[str, Any]) -> Said:
    """Return what a reply of a case is to a team."""
    tokens = reply.get("tokens", [0, 0])
    return Said(
        source=name,
        text=reply["text"],
        handoff=reply.get("handoff", ""),
        stop=reply.get("stop", False),
        called=reply.get("called", []),
        usage=Usage(input_tokens=tokens[0], output_tokens=tokens[1]),
    )


def kind(said: Said) -> str:
    """Return of what kind a message is."""
    return "handoff" if said.handoff else "stop" if said.stop else "text"


def answered(case: Case, messages: list[JsonValue]) -> JsonValue:
    """Return what the function of a case answers."""
    sources = [message["source"] for message in messages if isinstance(message, dict)]
    if case["strategy"].get("candidates"):
        return case["does"]["names"]
    return case["does"]["after"].get(sources[-1])


def mentioned(end: dict[str, Any], messages: list[JsonValue]) -> bool:
    """Return what the function of a termination answers."""
    wanted = next(iter(_deeds(end)))["mentions"]
    return any(wanted in str(message["text"]) for message in messages if isinstance(message, dict))


def _deeds(end: dict[str, Any]) -> Iterator[dict[str, str]]:
    if "does" in end:
        yield end["does"]
    for part in end.get("of", []):
        yield from _deeds(part)


class Play:
    """One case, from the task to its end."""

    def __init__(self, case: Case) -> None:
        self._case = case
        termination = termination_of(case)
        self._ending = Ending.of(termination)
        self._course = course_for(strategy_of(case), natural=termination is None, max_turns=case.get("max_turns", 0))
        self._cards = [Card(name, role=f"does {name}'s work") for name in case["replies"]]
        self._replies = {name: deque(replies) for name, replies in case["replies"].items()}
        self._model = deque(case.get("model", []))
        self._now = 0.0
        self._lines: list[Said] = []
        self._stop: list[str] = []
        self._result = ""

    def to_the_end(self) -> dict[str, Any]:
        """Return who said what, why it ended, and the result where there is one besides what was said."""
        self._speaking: deque[str] = deque()
        move = self._take(Said(source=USER, text=TASK), first=True)
        while not self._stop:
            match move:
                case Speak(members=members):
                    if len(self._lines) >= self._case.get("max_turns", MOST):
                        self._stop = ["max_turns"]
                    self._speaking += members
                case Consult():
                    move = self._course.consulted(self._consulted(move), self._cards)
                    continue
                case Finish(failed=failed, text=text):
                    self._stop = ["error" if failed else "through"]
                    self._result = text or ""
                case None:
                    assert self._speaking, "nobody is waited for"
            if not self._stop:
                move = self._next_speaks()
        return {
            "speakers": [said.source for said in self._lines],
            "texts": [said.text for said in self._lines],
            "kinds": [kind(said) for said in self._lines],
            "stop": self._stop,
            "result": self._result,
        }

    def _next_speaks(self) -> Move | None:
        name = self._speaking.popleft()
        reply = self._replies[name].popleft()
        self._now += reply.get("after", 0.0)
        if reply.get("outside"):
            self._ending.end_outside()
        said = said_by(name, reply)
        self._lines.append(said)
        return self._take(said)

    def _take(self, said: Said, *, first: bool = False) -> Move | None:
        if not self._ending.look([said], self._now):
            for number, question in enumerate(self._ending.questions()):
                messages = question.arguments["messages"]
                assert isinstance(messages, list)
                self._ending.answered(number, mentioned(self._case["end"], messages))
        if self._ending.reason:
            self._stop = sorted(self._ending.hit)
            return None
        self._course = crossed(self._course)
        return self._course.begin(said, self._cards) if first else self._course.heard(said, self._cards)

    def _consulted(self, asked: Consult) -> Answer:
        if asked.kind == "model":
            text = self._model.popleft()
            return Answer(text=text, output=json.loads(text) if asked.schema and text.startswith("{") else None)
        messages = asked.arguments["messages"]
        assert isinstance(messages, list)
        return Answer(output=answered(self._case, messages))
