"""What a model provider is to AOS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from pydantic import Field

from aos.conversation import Item, ToolCall, Usage
from aos.wire import Wire

Listener = Callable[[str], None]
"""Takes each new piece of a reply's text while it is being written."""

FinishReason = Literal["stop", "tool_calls", "length", "content_filter"]


class ToolSchema(Wire):
    """A tool as a model sees it. `parameters` is the JSON schema of one object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ModelRequest(Wire):
    """One model call. `model` is the provider's own name for it, without the `provider:` in front."""

    model: str
    system: str
    items: list[Item]
    tools: list[ToolSchema] = Field(default_factory=list[ToolSchema])
    output_schema: dict[str, Any] | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    timeout: float = 120.0
    """Seconds without a byte from the provider after which the call fails."""
    key: str = ""
    """Idempotency key of the call, sent where the provider's API has a field for it."""


class ModelResponse(Wire):
    """A model's whole answer. `usage.calls` and `usage.cost` are filled in by AOS, not by the provider."""

    text: str = ""
    tool_calls: list[ToolCall] = Field(default_factory=list[ToolCall])
    usage: Usage = Field(default_factory=Usage)
    finish_reason: FinishReason = "stop"
    model: str = ""


class ModelProvider(Protocol):
    """Speaks to one kind of model API.

    A provider never retries: it raises `aos.errors.RetryableModelError` or
    `aos.errors.TerminalModelError`, and Temporal retries.
    """

    name: str
    """The part before the colon in `provider:model`."""

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        """Return the model's answer to `request`, telling `listener` of its text as it comes."""
        ...

    async def aclose(self) -> None:
        """Close what the provider holds open."""
        ...
