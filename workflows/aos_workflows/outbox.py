"""What a workflow has to tell other workflows, until it is told: each once, and to each recipient in order."""

from __future__ import annotations

from pydantic import Field, JsonValue

from aos.wire import Wire


class Outgoing(Wire):
    """A signal that is to be sent. `to` is the id of a workflow; `body` the one argument, a contract as JSON."""

    to: str
    signal: str
    body: JsonValue


class Outbox(Wire):
    """Signals that are not known to have arrived, by recipient, the oldest first. It crosses rollovers.

    One that was on its way at a rollover is sent again, so its recipient must know it by an id in its body.
    """

    waiting: dict[str, list[Outgoing]] = Field(default_factory=dict[str, list[Outgoing]])

    def put(self, to: str, signal: str, body: JsonValue) -> None:
        """Add a signal."""
        self.waiting.setdefault(to, []).append(Outgoing(to=to, signal=signal, body=body))
