"""A provider in front of a server that speaks its wire format."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from aos.conversation import Item, UserItem
from aos.provider import ModelProvider, ModelRequest, ModelResponse
from wire.script import Json, Received, Reply
from wire.server import ModelServer


@dataclass
class Bench:
    """A provider and the server it calls. `streamed` makes each call with a listener; `heard` is what it was told."""

    provider: ModelProvider
    server: ModelServer
    wire: ModuleType
    model: str
    streamed: bool
    heard: list[str] = field(default_factory=list[str])

    async def ask(self, *items: Item, **fields: Any) -> ModelResponse:
        """Return the model's answer to `items`, or to a greeting."""
        values: Json = {"model": self.model, "system": "You are terse.", "timeout": 5.0, **fields}
        values["items"] = list(items) or [UserItem(text="Hello?")]
        request = ModelRequest.model_validate(values)
        return await self.provider.complete(request, self.heard.append if self.streamed else None)

    def will(self, *replies: Reply) -> None:
        """Tell the server what to answer."""
        self.server.will(*replies)

    @property
    def last(self) -> Received:
        """The last request that came in."""
        return self.server.received[-1]

    def images(self) -> list[bytes]:
        """Return the pictures in the last request."""
        return self.wire.images(self.last.body)

    def results(self) -> list[tuple[str, str, bool]]:
        """Return id, text and whether it is an error of each tool result in the last request."""
        return self.wire.results(self.last.body)

    def offered(self) -> list[str]:
        """Return the names of the tools in the last request."""
        return self.wire.offered(self.last.body)

    def messages(self) -> list[Json]:
        """Return the conversation in the last request, as it is on the wire."""
        return self.last.body["messages"]
