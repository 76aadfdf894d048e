"""The way from activities to topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from temporalio.client import Client

from aos.message import Message
from aos.topic import Subscription
from aos.topics import Topics


class TopicAccess(Protocol):
    """What the tools need of topics; tests put their own in."""

    async def publish(self, topic: str, message: Message, /) -> str:
        """Publish a message, and return its id."""
        ...

    async def announce(self, topic: str, message: Message, /) -> None:
        """Publish a message, if there is such a topic."""
        ...

    async def subscribe(
        self, topic: str, subscriber: str, filter: Mapping[str, object] | None = None, /
    ) -> Subscription:
        """Have a subscriber get what is published."""
        ...

    async def unsubscribe(self, topic: str, subscriber: str, /) -> Subscription:
        """Have a subscriber get nothing more."""
        ...


def topic_access(temporal: Client) -> TopicAccess:
    """Return the way to the topics of a Temporal server."""
    return Topics(temporal)
