"""Amazon Bedrock's Converse and ConverseStream."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from wire import event_stream
from wire.script import Call, Complain, FailMidway, Json, KeepSilent, Ramble, Received, Refuse, Reply, Response, Say

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ERRORS = {
    "rate": (429, "ThrottlingException", "Too many requests, please wait before trying again."),
    "server": (500, "InternalServerException", "The system encountered an unexpected error."),
    "key": (403, "UnrecognizedClientException", "The security token included in the request is invalid."),
    "model": (400, "ValidationException", "The provided model identifier is invalid."),
    "long": (400, "ValidationException", "Input is too long for requested model."),
}
_STOP = {"stop": "end_turn", "length": "max_tokens", "content_filter": "content_filtered"}


def speak(received: Received, reply: Reply) -> Response:
    """Return `reply` in the format of Converse, or what is wrong with the request."""
    if problem := problem_of(received.body):
        reply = Complain(problem)
    if isinstance(reply, Refuse) and reply.kind == "filter":
        # Bedrock refuses no request for what it says: a guardrail answers in the model's place.
        reply = Say(finish="content_filter")
    stream = received.path.endswith("/converse-stream")
    match reply:
        case Say() if stream:
            return _stream(*_events(reply), broken=reply.broken)
        case Say():
            return Response((json.dumps(_answer(reply)).encode(),), broken=reply.broken)
        case Refuse():
            return refused(reply)
        case Complain(text):
            return _error(400, "ValidationException", text, {})
        case Ramble(body):
            return _stream(body.ljust(64)) if stream else Response((body,))
        case FailMidway(kind):
            _, name, message = _ERRORS[kind]
            return _stream(
                event_stream.event("messageStart", {"role": "assistant"}),
                event_stream.failure(name[0].lower() + name[1:], message),
            )
        case KeepSilent():
            raise AssertionError("silence needs no words")


def problem_of(body: Json) -> str:
    """Return what the real service would refuse in a request, or an empty text."""
    roles = [message["role"] for message in body["messages"]]
    if roles[::2] != ["user"] * len(roles[::2]) or roles[1::2] != ["assistant"] * len(roles[1::2]):
        return "A conversation must start with a user message and alternate between user and assistant roles."
    if roles[-1] != "user":
        return "The conversation must end with a user message."
    open_calls: list[str] = []
    for message in body["messages"]:
        blocks: list[Json] = message["content"]
        if any(not block["text"].strip() for block in blocks if "text" in block):
            return "The text field in the ContentBlock object is blank."
        answered = [block["toolResult"]["toolUseId"] for block in blocks if "toolResult" in block]
        if answered != open_calls:
            return "Expected toolResult blocks for the toolUse blocks of the previous turn."
        uses = [block["toolUse"] for block in blocks if "toolUse" in block]
        open_calls = [use["toolUseId"] for use in uses]
        if not all(_NAME.fullmatch(text) for use in uses for text in (use["toolUseId"], use["name"])):
            return "Value at 'toolUse.name' failed to satisfy constraint: [a-zA-Z0-9_-]+"
        if (answered or uses) and "toolConfig" not in body:
            return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    return "" if all(_NAME.fullmatch(name) for name in offered(body)) else "Value at 'toolSpec.name' is invalid"


def images(body: Json) -> list[bytes]:
    """Return the pictures in a request."""
    return [base64.b64decode(block["image"]["source"]["bytes"]) for block in _blocks(body, "image")]


def results(body: Json) -> list[tuple[str, str, bool]]:
    """Return id, text and whether it is an error of each tool result in a request."""
    found = [block["toolResult"] for block in _blocks(body, "toolResult")]
    return [(one["toolUseId"], one["content"][0]["text"], one["status"] == "error") for one in found]


def offered(body: Json) -> list[str]:
    """Return the names of the tools in a request."""
    return [tool["toolSpec"]["name"] for tool in body.get("toolConfig", {}).get("tools", [])]


def _blocks(body: Json, kind: str) -> list[Json]:
    return [block for message in body["messages"] for block in message["content"] if kind in block]


def refused(reply: Refuse) -> Response:
    """Return an error in Bedrock's own words."""
    status, name, message = _ERRORS[reply.kind]
    return _error(status, name, message, dict(reply.headers))


def _error(status: int, name: str, message: str, headers: dict[str, str]) -> Response:
    headers = {"x-amzn-ErrorType": name, **headers}
    return Response((json.dumps({"message": message}).encode(),), status, headers=headers)


def _stream(*frames: bytes, broken: Any = "") -> Response:
    return Response(frames, content_type=event_stream.CONTENT_TYPE, chunked=True, broken=broken)


def _stop(reply: Say) -> str:
    return "tool_use" if reply.calls and reply.finish == "stop" else _STOP[reply.finish]


def _usage(reply: Say) -> Json:
    fresh = reply.input_tokens - reply.cached_tokens
    return {
        "inputTokens": fresh,
        "outputTokens": reply.output_tokens,
        "totalTokens": reply.input_tokens + reply.output_tokens,
        "cacheReadInputTokens": reply.cached_tokens,
        "cacheWriteInputTokens": 0,
    }


def _input(call: Call) -> object:
    """Return the arguments as the service does, which hands on as text what the model wrote against the format."""
    try:
        return json.loads(call.arguments)
    except (ValueError, RecursionError):
        return call.arguments


def _answer(reply: Say) -> Json:
    content: list[Json] = [{"text": "".join(reply.pieces)}] if reply.pieces else []
    content += [{"toolUse": {"toolUseId": call.id, "name": call.name, "input": _input(call)}} for call in reply.calls]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": _stop(reply),
        "usage": _usage(reply),
        "metrics": {"latencyMs": 1},
    }


def _events(reply: Say) -> Iterator[bytes]:
    yield event_stream.event("messageStart", {"role": "assistant"})
    for piece in reply.pieces:
        yield event_stream.event("contentBlockDelta", {"delta": {"text": piece}, "contentBlockIndex": 0})
    if reply.pieces:
        yield event_stream.event("contentBlockStop", {"contentBlockIndex": 0})
    for index, call in enumerate(reply.calls, start=bool(reply.pieces)):
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield event_stream.event("contentBlockStart", {"start": start, "contentBlockIndex": index})
        middle = len(call.arguments) // 2
        for piece in (call.arguments[:middle], call.arguments[middle:]):
            delta = {"toolUse": {"input": piece}}
            yield event_stream.event("contentBlockDelta", {"delta": delta, "contentBlockIndex": index})
        yield event_stream.event("contentBlockStop", {"contentBlockIndex": index})
    yield event_stream.event("messageStop", {"stopReason": _stop(reply)})
    yield event_stream.event("metadata", {"usage": _usage(reply), "metrics": {"latencyMs": 1}})
