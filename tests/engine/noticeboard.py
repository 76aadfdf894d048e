"""Topics without a server, for the tools that reach them, and a memory that is never opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aos.message import Message
from aos.topic import Subscription, topic_name
from aos_activities.memory.access import MemoryAccess
from aos_activities.memory.sqlite import SqliteMemory


class NoticeBoard:
    """Notes what tools ask of topics."""

    def __init__(self) -> None:
        self.published: list[tuple[str, Message]] = []
        self.subscribed: dict[tuple[str, str], Subscription] = {}
        self.refusal: Exception | None = None
        """Raised by every call, where it is set."""

    async def publish(self, topic: str, message: Message, /) -> str:
        """Note a publication."""
        self._check()
        self.published.append((topic_name(topic), message))
        return message.id

    async def announce(self, topic: str, message: Message, /) -> None:
        """Note a publication."""
        await self.publish(topic, message)

    async def subscribe(
        self, topic: str, subscriber: str, filter: Mapping[str, object] | None = None, /
    ) -> Subscription:
        """Note a subscription."""
        self._check()
        subscription = Subscription.model_validate({"subscriber": subscriber, "filter": filter})
        self.subscribed[topic_name(topic), subscriber] = subscription
        return subscription

    async def unsubscribe(self, topic: str, subscriber: str, /) -> Subscription:
        """Forget a subscription."""
        self._check()
        return self.subscribed.pop((topic_name(topic), subscriber), Subscription(subscriber=subscriber))

    def _check(self) -> None:
        if self.refusal:
            raise self.refusal


def unused() -> MemoryAccess:
    """Return the way to a memory for tools that are only looked at."""
    return MemoryAccess(SqliteMemory(Path("never made")), None, NoticeBoard())
