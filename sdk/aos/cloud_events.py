"""Messages as CloudEvents 1.0, for whoever is outside: queues, webhooks, other systems."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from aos.errors import InvalidInput
from aos.message import Message
from aos.reading import read_object

TYPE_PREFIX = "aos.message."
"""What the `type` of an event begins with that is a message; the message's kind follows."""

_ENVELOPE = {
    "priority": "aospriority",
    "correlation": "aoscorrelation",
    "deadline": "aosdeadline",
    "task": "aostask",
    "topic": "aostopic",
    "reply_to": "aosreplyto",
    "traceparent": "traceparent",
}
"""Fields of a message that are context attributes of the event; extensions have lower-case names."""

_OF_THE_EVENT = {"id", "sender", "to", "kind", *_ENVELOPE}


def to_cloud_event(message: Message, *, time: datetime | None = None) -> dict[str, Any]:
    """Return a message as a CloudEvent in structured mode: a JSON object, media type `application/cloudevents+json`.

    Source: CloudEvents 1.0.2, JSON event format, and its extension for distributed tracing.
    """
    fields = message.model_dump(mode="json")
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": message.id,
        "source": f"/{message.sender}" if message.sender else "/",
        "type": TYPE_PREFIX + message.kind,
        "datacontenttype": "application/json",
        "data": {name: value for name, value in fields.items() if name not in _OF_THE_EVENT},
    }
    if message.to:
        event["subject"] = message.to
    if time:
        event["time"] = time.isoformat()
    for name, attribute in _ENVELOPE.items():
        if name in fields:
            event[attribute] = fields[name]
    return event


def from_cloud_event(event: Mapping[str, Any]) -> Message:
    """Return the message in a CloudEvent that `to_cloud_event`, or somebody like it, made.

    Raises:
        InvalidInput: It is no CloudEvent 1.0 of a message.
    """
    kind = str(event.get("type", ""))
    problems = [f"{name}: a CloudEvent needs it" for name in ("id", "source", "type") if not event.get(name)]
    if event.get("specversion") != "1.0":
        problems.append("specversion: '1.0' is what AOS reads")
    if not kind.startswith(TYPE_PREFIX):
        problems.append(f"type: that of a message begins with {TYPE_PREFIX!r}; `aos event` takes others")
    data: Any = event.get("data")
    if not isinstance(data, dict):
        problems.append("data: a JSON object is needed, with the fields of a message")
    if problems:
        raise InvalidInput("CloudEvent", problems)
    fields: dict[str, Any] = dict(cast("dict[str, Any]", data))
    fields |= {name: event[attribute] for name, attribute in _ENVELOPE.items() if attribute in event}
    fields |= {"id": event["id"], "sender": str(event["source"]).removeprefix("/"), "kind": kind[len(TYPE_PREFIX) :]}
    if subject := event.get("subject"):
        fields["to"] = subject
    return read_object(Message, "CloudEvent", fields)
