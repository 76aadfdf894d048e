"""A team's workflow, as far as a course sees it: it tells the course what happened and does nothing else."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue, TypeAdapter

from aos.strategy import Strategy
from aos_workflows.team.course import Answer, Card, Consult, Finish, Move, Said, Speak
from aos_workflows.team.courses import AnyCourse, course_for

COURSE: TypeAdapter[AnyCourse] = TypeAdapter(AnyCourse)


def crossed(course: AnyCourse) -> AnyCourse:
    """Return `course` as it is after a rollover."""
    return COURSE.validate_json(COURSE.dump_json(course))


class Stage:
    """A task under way. Between any two calls the course crosses a rollover."""

    def __init__(self, strategy: Strategy, *names: str, natural: bool = True, **options: Any) -> None:
        self.course: AnyCourse = course_for(strategy, natural=natural, **options)
        self.cards = [Card(name, role=f"does {name}'s work") for name in names]

    def begin(self, text: str = "Do it.", **said: Any) -> Move:
        return self.course.begin(Said(source="user", text=text, **said), self.cards)

    def says(self, name: str, text: str = "well", **said: Any) -> Move | None:
        self.course = crossed(self.course)
        return self.course.heard(Said(source=name, text=text, **said), self.cards)

    def loses(self, name: str, reason: str = "it died") -> Move | None:
        self.course = crossed(self.course)
        return self.course.lost(name, reason, self.cards)

    def answers(self, text: str = "", *, output: JsonValue = None, error: str = "") -> Move | None:
        self.course = crossed(self.course)
        return self.course.consulted(Answer(text=text, output=output, error=error), self.cards)

    def joins(self, name: str, **card: Any) -> None:
        self.cards.append(Card(name, **card))

    def leaves(self, name: str) -> None:
        self.cards = [card for card in self.cards if card.name != name]

    def dies(self, name: str) -> None:
        self.cards = [Card(card.name, gone=card.gone or card.name == name) for card in self.cards]


def speakers(move: Move | None) -> list[str]:
    """Return who is to speak."""
    assert isinstance(move, Speak), move
    return list(move.members)


def told(move: Move | None) -> str:
    """Return what those who are to speak are told."""
    assert isinstance(move, Speak), move
    return move.told


def asked(move: Move | None) -> Consult:
    """Return the consultation that `move` is."""
    assert isinstance(move, Consult), move
    return move


def end(move: Move | None) -> Finish:
    """Return the end of a task that was done."""
    assert isinstance(move, Finish) and not move.failed, move
    return move


def failure(move: Move | None) -> str:
    """Return why a task could not be done."""
    assert isinstance(move, Finish) and move.failed, move
    return move.reason
