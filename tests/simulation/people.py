"""Those who speak to a simulated agent: they number, repeat, reorder and forget what they send."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from temporalio.api.common.v1 import Payload


def payload(given: object) -> Payload:
    """Return `given` as Temporal carries it."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(given).encode())


@dataclass(slots=True)
class Sent:
    """A message on its way: `known` is what is told of it to the truth when it comes."""

    kind: str
    payload: Payload
    known: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: int = 0
    """How often it was asked again, for an update."""
    sure: bool = False
    """Whether a copy of it came for certain, so that this one may be lost."""

    def copy(self) -> Sent:
        """Return a copy that comes later."""
        return Sent("send" if self.kind == "ask" else self.kind, self.payload, self.known, sure=True)


@dataclass(slots=True)
class Person:
    """A sender with one stream, or with none."""

    name: str
    stream: str = ""
    born: int = 0
    number: int = 0


class People:
    """Draws messages by chance.

    Args:
        forgotten: Whether the agent remembers few ids, so that all that may come twice must be numbered.
    """

    def __init__(self, chance: Random, *, forgotten: bool) -> None:
        self._chance = chance
        self.count = 0
        """How many messages and events they have made up."""
        self._streams = 0
        self._forgotten = forgotten
        self._people = [self._person(index) for index in range(chance.choice((1, 2, 3, 5)))]

    def _person(self, index: int) -> Person:
        numbered = self._forgotten or self._chance.random() < 0.75
        return Person(f"person {index}", stream=f"s{index}" if numbered else "", born=100 + index)

    def message(self) -> Sent:
        """Return a new message."""
        chance, person = self._chance, self._chance.choice(self._people)
        self.count += 1
        draw = chance.random()
        known: dict[str, Any] = {"id": f"m{self.count}", "sender": person.name, "text": f"say {self.count}"}
        if draw < 0.08:
            known["text"] += " and more" * chance.randrange(400)
        if draw > 0.6:
            known["priority"] = chance.randrange(1, 6)
        mode = chance.random()
        if mode < 0.06:
            known["mode"] = "interrupt"
        elif mode < 0.25:
            known["mode"] = "steer"
        elif mode < 0.35:
            known["wake"] = False
        elif mode > 0.98:
            known["output_schema"] = {"type": "object"}
        if person.stream:
            person.number += 1
            known["sequence"] = {"stream": person.stream, "born": person.born, "number": person.number}
        elif mode > 0.95 and not self._chance.randrange(3):
            known.update(id="", sender="nameless")
        asks = bool(known["id"]) and chance.random() < 0.08
        if asks and chance.random() < 0.2:
            known["wait"] = False
        return Sent("ask" if asks else "send", payload(known), known)

    def may_repeat(self, sent: Sent) -> bool:
        """Whether a copy of `sent` may come at any time without being handled again."""
        return "sequence" in sent.known or (not self._forgotten and bool(sent.known.get("id")))

    def renew(self) -> None:
        """Let one of them begin a new stream, as a client does that starts anew."""
        person = self._chance.choice(self._people)
        if person.stream:
            self._streams += 1
            person.stream, person.number, person.born = f"t{self._streams}", 0, 1000 + self._streams

    def event(self) -> Sent:
        """Return an outside event."""
        self.count += 1
        kind = self._chance.choice(("order.paid", "order.sent", "spam"))
        event = {"type": kind, "source": "shop", "id": f"e{self.count}"}
        return Sent("event", payload(event), {"id": f"event/shop/e{self.count}", "sender": "event/shop", "type": kind})

    def rubbish(self) -> Sent:
        """Return a signal that cannot be read."""
        given = self._chance.choice(({"text": ""}, {"txt": "?"}, 7, "hello", {"text": "x", "priority": 9}))
        return Sent("send", payload(given), {"rubbish": True})
