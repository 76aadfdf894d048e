"""Answers of several members to one task: which are the same, which most gave, and how they stand in one text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pydantic import Field

from aos.wire import Wire
from aos_workflows.team.course import Said
from aos_workflows.team.courses.thread import shortened

ROOM = 200_000
"""Most characters that are kept of all answers to one task."""

LEAST = 200
"""How much is kept of an answer at least, in characters, however many there are."""


class Given(Wire):
    """What one member answered. `key` is equal for two answers that are the same but for case and spaces."""

    source: str
    text: str = ""
    ref: str = ""
    key: str = ""

    @classmethod
    def of(cls, said: Said, members: int) -> Given:
        """Return the answer in `said`, one of so many members. It is cut where all would be too much."""
        whole = said.ref or " ".join(said.text.casefold().split())
        key = hashlib.sha256(whole.encode()).hexdigest()[:16]
        text = shortened(said.text, max(LEAST, ROOM // max(1, members)))
        return cls(source=said.source, text=text, ref=said.ref, key=key)


class Claim(Wire):
    """One of several answers that are not the same, and who gave it."""

    text: str = ""
    ref: str = ""
    sources: list[str] = Field(default_factory=list[str])


class Ruling(Wire):
    """How a contradiction was settled. `chosen` is the number of the claim that holds, the first one being 1."""

    claims: list[Claim]
    chosen: int
    by: str
    reason: str = ""


def claims_in(answers: Sequence[Given]) -> list[Claim]:
    """Return the different answers, the first of each, in the order in which they stand."""
    claims: dict[str, Claim] = {}
    for answer in answers:
        claims.setdefault(answer.key, Claim(text=answer.text, ref=answer.ref)).sources.append(answer.source)
    return list(claims.values())


def most_given(claims: Sequence[Claim]) -> int:
    """Return the number of the claim that most made, the first of several such; the first claim is 1."""
    return max(range(len(claims)), key=lambda number: (len(claims[number].sources), -number)) + 1


def below_each_other(answers: Sequence[Given]) -> str:
    """Return the answers as one text, each with who gave it."""
    return "\n\n".join(f"{answer.source}: {answer.text}".rstrip() for answer in answers)


def numbered(claims: Sequence[Claim]) -> str:
    """Return claims for somebody to choose among."""
    return "\n\n".join(
        f"{number}. ({', '.join(claim.sources)}) {claim.text}".rstrip() for number, claim in enumerate(claims, start=1)
    )
