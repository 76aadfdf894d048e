"""Members of teams that pass a text on, each with its letter added: what a task ends with tells all that happened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls, last_text

LETTERS = "abc"

_PASSED_ON = re.compile(r"\bt\d+:[a-c]*")
_ROUNDS = 6


@dataclass(frozen=True)
class Play:
    """A kind of team: how it works, what a task ends with behind its `t7:`, and how many turns of agents that takes."""

    name: str
    spec: dict[str, Any]
    end: str
    turns: int

    def team(self, name: str) -> dict[str, Any]:
        """Return a team of this kind."""
        members = [_member(letter) for letter in LETTERS]
        return {"name": name, "members": members, **self.spec}

    def result(self, task: str) -> str:
        """Return what a task ends with."""
        return self.end.replace("*", task)


def _member(letter: str, model: str = "relay") -> dict[str, Any]:
    return {"name": letter, "agent": {"model": f"told:{model}-{letter}"}}


PLAYS: Sequence[Play] = (
    Play("turns", {"termination": {"type": "max_messages", "count": _ROUNDS + 1}}, "*:abcabc", _ROUNDS),
    Play(
        "chosen",
        {
            "strategy": {"type": "selector", "model": "told:relay-chooser"},
            "termination": {"type": "max_messages", "count": 5},
        },
        "*:acba",
        4,
    ),
    Play(
        "swarm",
        {
            "members": [_member(letter, "handing") for letter in LETTERS],
            "strategy": {"type": "swarm"},
            "termination": {"type": "stop_message"},
        },
        "*:abca",
        4,
    ),
    Play("together", {"strategy": {"type": "broadcast"}}, "a: *:a\n\nb: *:b\n\nc: *:c", 3),
    Play(
        "nested",
        {"members": [_member("a"), {"name": "desk", "team": {"members": [_member("b"), _member("c")]}}]},
        "*:abc",
        3,
    ),
)
"""One kind of each way to work: in turn, chosen by a model, handed on, all at once, and a team in a team."""


def passed_on(text: str) -> str:
    """Return what was passed on last, or nothing."""
    return (_PASSED_ON.findall(text) or [""])[-1]


def answer(request: ModelRequest) -> ModelResponse | str:
    """Answer as the model `relay-<letter>`, `handing-<letter>` or `relay-chooser` does."""
    kind, _, who = request.model.partition("-")
    got = passed_on(last_text(request))
    if who == "chooser":
        return LETTERS[-len(got.partition(":")[2]) % len(LETTERS)]
    said = got + who
    if kind == "relay":
        return said
    if len(said.partition(":")[2]) > len(LETTERS):
        return calls(("finish", {"text": said}))
    after = LETTERS[(LETTERS.index(who) + 1) % len(LETTERS)]
    return calls(("handoff", {"to": after, "text": said}))
