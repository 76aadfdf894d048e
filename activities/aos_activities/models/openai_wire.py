"""The JSON of OpenAI's Chat Completions: what is sent, and what is read of an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field

from aos.conversation import AssistantItem, Image, Item, NoteItem, SummaryItem, ToolCall, ToolItem, UserItem
from aos.provider import ModelRequest, ToolSchema
from aos.wire import Wire
from aos_activities.models.tally import Tally
from aos_activities.models.tool_calls import answered, wire_id, wire_name, wire_parameters
from aos_activities.models.wording import aside, schema_instruction

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the models and servers that speak Chat Completions."""

    tokens_field: str = "max_completion_tokens"
    response_format: bool = True

    def without(self, complaint: str) -> Dialect | None:
        """Return the dialect that avoids what a server complained about, or None if there is none."""
        if self.response_format and "response_format" in complaint:
            return replace(self, response_format=False)
        if self.tokens_field == "max_completion_tokens" and self.tokens_field in complaint:
            return replace(self, tokens_field="max_tokens")
        return None


def body(request: ModelRequest, dialect: Dialect, *, stream: bool) -> Json:
    """Return the body of the HTTP request."""
    system = request.system
    sent: Json = {"model": request.model}
    if request.output_schema is not None:
        if dialect.response_format:
            form = {"name": "reply", "schema": request.output_schema, "strict": False}
            sent["response_format"] = {"type": "json_schema", "json_schema": form}
        else:
            system = f"{system}\n\n{schema_instruction(request.output_schema)}".strip()
    messages = list(_messages(request.items))
    sent["messages"] = [{"role": "system", "content": system}, *messages] if system else messages
    if request.tools:
        sent["tools"] = [_tool(tool) for tool in request.tools]
    if request.temperature is not None:
        sent["temperature"] = request.temperature
    if request.max_output_tokens is not None:
        sent[dialect.tokens_field] = request.max_output_tokens
    if stream:
        sent |= {"stream": True, "stream_options": {"include_usage": True}}
    return sent


def _messages(items: Sequence[Item]) -> Iterator[Json]:
    for item in answered(items):
        match item:
            case UserItem():
                yield {"role": "user", "content": _content(item)}
            case AssistantItem():
                yield _assistant(item)
            case ToolItem():
                text = f"Error: {item.text}" if item.error else item.text
                yield {"role": "tool", "tool_call_id": wire_id(item.call_id), "content": text}
            case NoteItem() | SummaryItem():
                # Not as role system: many servers take that only as the first message.
                yield {"role": "user", "content": aside(item)}


def _content(item: UserItem) -> str | list[Json]:
    if not item.images:
        return item.text
    images = [{"type": "image_url", "image_url": {"url": _url(image)}} for image in item.images]
    return [{"type": "text", "text": item.text}, *images]


def _url(image: Image) -> str:
    return image.url or f"data:{image.media_type};base64,{image.data}"


def _assistant(item: AssistantItem) -> Json:
    message: Json = {"role": "assistant", "content": item.text or (None if item.tool_calls else "")}
    if item.tool_calls:
        message["tool_calls"] = [_call(call) for call in item.tool_calls]
    return message


def _call(call: ToolCall) -> Json:
    function = {"name": wire_name(call.name), "arguments": json.dumps(call.arguments, ensure_ascii=False)}
    return {"id": wire_id(call.id), "type": "function", "function": function}


def _tool(tool: ToolSchema) -> Json:
    function = {"name": wire_name(tool.name), "description": tool.description, "parameters": wire_parameters(tool)}
    return {"type": "function", "function": function}


class _Function(Wire):
    name: str | None = None
    arguments: Any = None


class CallPart(Wire):
    """A tool call, or a piece of one. Servers that never send pieces may leave out `index`."""

    index: int | None = None
    id: str | None = None
    function: _Function = Field(default_factory=_Function)


class Said(Wire):
    """A message, or a piece of one."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[CallPart] | None = None


class Choice(Wire):
    """The answer: a whole one has a `message`, a piece of one a `delta`."""

    message: Said | None = None
    delta: Said | None = None
    finish_reason: str | None = None


class _Details(Wire):
    cached_tokens: Tally = 0


class Tokens(Wire):
    """Tokens used; those read from a cache are part of `prompt_tokens`."""

    prompt_tokens: Tally = 0
    completion_tokens: Tally = 0
    prompt_tokens_details: _Details | None = None

    @property
    def cached(self) -> int:
        """Tokens of the prompt that came from a cache."""
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else 0


class Completion(Wire):
    """A whole answer or one chunk of a stream, as far as AOS reads it."""

    choices: list[Choice]
    usage: Tokens | None = None
    model: str | None = None
