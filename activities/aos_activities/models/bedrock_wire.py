"""The JSON of Amazon Bedrock's Converse: what is sent, and what is read of an answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, cast

from pydantic import Field

from aos.conversation import AssistantItem, Image, Item, NoteItem, SummaryItem, ToolCall, ToolItem, UserItem
from aos.provider import ModelRequest, ToolSchema
from aos.wire import Wire
from aos_activities.models.failures import Failures
from aos_activities.models.tally import Tally
from aos_activities.models.tool_calls import answered, wire_id, wire_name, wire_parameters
from aos_activities.models.wording import aside, schema_instruction

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime.literals import ConversationRoleType, ImageFormatType
    from mypy_boto3_bedrock_runtime.type_defs import (
        ContentBlockTypeDef,
        InferenceConfigurationTypeDef,
        MessageTypeDef,
        SystemContentBlockTypeDef,
        ToolConfigurationTypeDef,
        ToolTypeDef,
    )

_NOTHING = "(nothing)"
_GO_ON = "Go on."


class ConverseRequest(TypedDict):
    """The arguments of `converse` and of `converse_stream`."""

    modelId: str
    messages: Sequence[MessageTypeDef]
    system: NotRequired[Sequence[SystemContentBlockTypeDef]]
    inferenceConfig: NotRequired[InferenceConfigurationTypeDef]
    toolConfig: NotRequired[ToolConfigurationTypeDef]


def converse_request(request: ModelRequest, failures: Failures) -> ConverseRequest:
    """Return what asks Converse for the answer to `request`.

    A JSON schema for the answer goes into the system text: a forced tool would keep the model from calling any
    other, and only some models can be held to a schema.

    Raises:
        TerminalModelError: An image is not given as data.
    """
    system = request.system
    if request.output_schema is not None:
        system = f"{system}\n\n{schema_instruction(request.output_schema)}".strip()
    sent: ConverseRequest = {
        "modelId": request.model,
        "messages": _turns(_said(request.items, tools=bool(request.tools), failures=failures)),
    }
    if system.strip():
        sent["system"] = [{"text": system}]
    inference: InferenceConfigurationTypeDef = {}
    if request.temperature is not None:
        inference["temperature"] = request.temperature
    if request.max_output_tokens is not None:
        inference["maxTokens"] = request.max_output_tokens
    if inference:
        sent["inferenceConfig"] = inference
    if request.tools:
        sent["toolConfig"] = {"tools": [_tool(tool) for tool in request.tools]}
    return sent


def _tool(tool: ToolSchema) -> ToolTypeDef:
    return {
        "toolSpec": {
            "name": wire_name(tool.name),
            "description": tool.description.strip() or tool.name,
            "inputSchema": {"json": wire_parameters(tool)},
        }
    }


def _turns(blocks: Iterator[tuple[ConversationRoleType, ContentBlockTypeDef]]) -> list[MessageTypeDef]:
    """Return messages whose roles alternate, of which the first and the last are the user's."""
    turns: list[tuple[ConversationRoleType, list[ContentBlockTypeDef]]] = []
    for role, block in blocks:
        if not turns and role == "assistant":
            turns.append(("user", [{"text": _GO_ON}]))
        if turns and turns[-1][0] == role:
            turns[-1][1].append(block)
        else:
            turns.append((role, [block]))
    if not turns or turns[-1][0] == "assistant":
        turns.append(("user", [{"text": _GO_ON}]))
    return [{"role": role, "content": content} for role, content in turns]


def _said(
    items: Sequence[Item], *, tools: bool, failures: Failures
) -> Iterator[tuple[ConversationRoleType, ContentBlockTypeDef]]:
    """Yield each piece of content with its role. Converse refuses a text of nothing but spaces."""
    for item in answered(items):
        match item:
            case UserItem():
                yield "user", _text(item.text)
                for image in item.images:
                    yield "user", _image(image, failures)
            case AssistantItem():
                if item.text.strip() or not item.tool_calls:
                    yield "assistant", _text(item.text)
                for call in item.tool_calls:
                    yield "assistant", _tool_use(call) if tools else _text(_call_in_words(call))
            case ToolItem():
                yield "user", _tool_result(item) if tools else _text(_result_in_words(item))
            case NoteItem() | SummaryItem():
                yield "user", _text(aside(item))


def _text(text: str) -> ContentBlockTypeDef:
    return {"text": text if text.strip() else _NOTHING}


def _image(image: Image, failures: Failures) -> ContentBlockTypeDef:
    if image.url:
        raise failures.impossible(
            "Bedrock fetches no images by URL", "send the picture itself, as base64 in the image's `data`"
        )
    try:
        data = base64.b64decode(image.data, validate=True)
    except ValueError:
        raise failures.impossible("an image's data is not base64", "encode the picture's bytes as base64") from None
    form = cast("ImageFormatType", image.media_type.removeprefix("image/"))
    return {"image": {"format": form, "source": {"bytes": data}}}


def _tool_use(call: ToolCall) -> ContentBlockTypeDef:
    return {"toolUse": {"toolUseId": wire_id(call.id), "name": wire_name(call.name), "input": call.arguments}}


def _tool_result(item: ToolItem) -> ContentBlockTypeDef:
    text = item.text if item.text.strip() else _NOTHING
    return {
        "toolResult": {
            "toolUseId": wire_id(item.call_id),
            "content": [{"text": text}],
            "status": "error" if item.error else "success",
        }
    }


# Converse takes calls and results only together with tools. Without any, as in a summary, they are told in words.
def _call_in_words(call: ToolCall) -> str:
    return f"[called {call.name} with {json.dumps(call.arguments, ensure_ascii=False)}]"


def _result_in_words(item: ToolItem) -> str:
    return f"[{item.name} {'failed' if item.error else 'answered'}]\n{item.text}"


class ToolUse(Wire):
    """A tool call; in a stream `input` comes as pieces of JSON text."""

    toolUseId: str = ""
    name: str = ""
    input: Any = None


class Block(Wire):
    """A piece of an answer's content, or the start or a piece of one."""

    text: str | None = None
    toolUse: ToolUse | None = None


class _Content(Wire):
    content: list[Block]


class _Output(Wire):
    message: _Content


class Tokens(Wire):
    """Tokens used; those read from or written to a cache are not part of `inputTokens`."""

    inputTokens: Tally = 0
    outputTokens: Tally = 0
    cacheReadInputTokens: Tally = 0
    cacheWriteInputTokens: Tally = 0


class Answer(Wire):
    """A whole answer, as far as AOS reads it."""

    output: _Output
    stopReason: str = "end_turn"
    usage: Tokens = Field(default_factory=Tokens)


class BlockStart(Wire):
    """A block begins."""

    start: Block = Field(default_factory=Block)
    contentBlockIndex: int = 0


class BlockDelta(Wire):
    """A block goes on."""

    delta: Block
    contentBlockIndex: int = 0


class _Stop(Wire):
    stopReason: str


class _Metadata(Wire):
    usage: Tokens = Field(default_factory=Tokens)


class Event(Wire):
    """One event of a stream, of which one field is set, or none if AOS has no use for it."""

    contentBlockStart: BlockStart | None = None
    contentBlockDelta: BlockDelta | None = None
    messageStop: _Stop | None = None
    metadata: _Metadata | None = None
