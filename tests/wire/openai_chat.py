"""OpenAI's Chat Completions, as OpenAI and Azure OpenAI serve them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

from wire.script import Call, Complain, FailMidway, Json, KeepSilent, Ramble, Received, Refuse, Reply, Response, Say

MODEL = "gpt-4o-mini-2024-07-18"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ERRORS: dict[str, tuple[int, str, str, str]] = {
    "rate": (429, "Rate limit reached for requests", "requests", "rate_limit_exceeded"),
    "server": (500, "The server had an error while processing your request", "server_error", ""),
    "key": (401, "Incorrect API key provided: {key}.", "invalid_request_error", "invalid_api_key"),
    "model": (404, "The model `{model}` does not exist", "invalid_request_error", "model_not_found"),
    "filter": (400, "The response was filtered due to the content management policy", "", "content_filter"),
    "long": (400, "This model's maximum context length is 8192 tokens", "", "context_length_exceeded"),
}


def speak(received: Received, reply: Reply) -> Response:
    """Return `reply` in the format of Chat Completions, or what is wrong with the request."""
    if problem := problem_of(received.body):
        reply = Complain(problem)
    stream = received.body.get("stream") is True
    match reply:
        case Say() if stream:
            usage = bool(received.body.get("stream_options", {}).get("include_usage"))
            parts = [*_chunks(reply, usage), b"data: [DONE]\n\n"]
            return Response(tuple(parts), content_type="text/event-stream", chunked=True, broken=reply.broken)
        case Say():
            return Response((json.dumps(_completion(reply)).encode(),), broken=reply.broken)
        case Refuse():
            return refused(reply, received)
        case Complain(text):
            return Response((json.dumps({"error": {"message": text, "type": "invalid_request_error"}}).encode(),), 400)
        case Ramble(body):
            return (
                Response((b"data: " + body + b"\n\n",), content_type="text/event-stream", chunked=True)
                if stream
                else Response((body,))
            )
        case FailMidway(kind):
            _, message, form, code = _ERRORS[kind]
            failure = _sse({"error": {"message": message, "type": form, "code": code}})
            return Response((_sse(_chunk({"content": "Hel"})), failure), content_type="text/event-stream", chunked=True)
        case KeepSilent():
            raise AssertionError("silence needs no words")


def problem_of(body: Json) -> str:
    """Return what the real service would refuse in a request, or an empty text."""
    unanswered: set[str] = set()
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in unanswered:
                return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
            unanswered.remove(message["tool_call_id"])
            continue
        if unanswered:
            return "an assistant message with 'tool_calls' must be followed by tool messages for each of them"
        for call in message.get("tool_calls", []):
            unanswered.add(call["id"])
            json.loads(call["function"]["arguments"])
            if not _NAME.fullmatch(call["function"]["name"]) or len(call["id"]) > 40:
                return "invalid tool call"
    if unanswered:
        return "an assistant message with 'tool_calls' must be followed by tool messages for each of them"
    names = [tool["function"]["name"] for tool in body.get("tools", [])]
    return "" if all(_NAME.fullmatch(name) for name in names) else "invalid 'tools[0].function.name'"


def images(body: Json) -> list[bytes]:
    """Return the pictures in a request."""
    contents = [message["content"] for message in body["messages"] if isinstance(message["content"], list)]
    urls = [part["image_url"]["url"] for content in contents for part in content if part["type"] == "image_url"]
    return [base64.b64decode(url.partition("base64,")[2]) for url in urls]


def results(body: Json) -> list[tuple[str, str, bool]]:
    """Return id, text and whether it is an error of each tool result in a request."""
    tools = [message for message in body["messages"] if message["role"] == "tool"]
    return [(tool["tool_call_id"], tool["content"], tool["content"].startswith("Error: ")) for tool in tools]


def offered(body: Json) -> list[str]:
    """Return the names of the tools in a request."""
    return [tool["function"]["name"] for tool in body.get("tools", [])]


def refused(reply: Refuse, received: Received) -> Response:
    """Return an error in OpenAI's own words."""
    status, message, form, code = _ERRORS[reply.kind]
    key = received.headers.get("authorization", "").removeprefix("Bearer ") or received.headers.get("api-key", "")
    text = message.format(key=key, model=received.body["model"])
    error = {"error": {"message": text, "type": form, "param": None, "code": code or None}}
    return Response((json.dumps(error).encode(),), status, headers=reply.headers)


def _finish(reply: Say) -> str:
    return "tool_calls" if reply.calls and reply.finish == "stop" else reply.finish


def _usage(reply: Say) -> Json:
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens, "audio_tokens": 0},
    }


def _call(call: Call) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _completion(reply: Say) -> Json:
    message: Json = {"role": "assistant", "content": "".join(reply.pieces) or None, "refusal": None}
    if reply.calls:
        message["tool_calls"] = [_call(call) for call in reply.calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": MODEL}
    return {**head, "choices": [choice], "usage": _usage(reply)}


def _chunk(delta: Json, finish: str | None = None) -> Json:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": MODEL}
    return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None}


def _chunks(reply: Say, usage: bool) -> Iterator[bytes]:
    # Azure begins with a chunk that has no choices.
    yield _sse({**_chunk({}), "choices": [], "prompt_filter_results": []})
    yield _sse(_chunk({"role": "assistant", "content": ""}))
    for piece in reply.pieces:
        yield _sse(_chunk({"content": piece}))
    for index, call in enumerate(reply.calls):
        start = {**_call(call), "index": index, "function": {"name": call.name, "arguments": ""}}
        yield _sse(_chunk({"tool_calls": [start]}))
        middle = len(call.arguments) // 2
        for piece in (call.arguments[:middle], call.arguments[middle:]):
            yield _sse(_chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
    yield _sse(_chunk({}, _finish(reply)))
    if usage:
        yield _sse({**_chunk({}), "choices": [], "usage": _usage(reply)})


def _sse(data: Json) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()
