"""The offline model as a provider."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping

from aos.conversation import AssistantItem, ToolCall, Usage
from aos.provider import FinishReason, Listener, ModelRequest, ModelResponse
from aos_activities.models.offline.respond import respond

_CHARS_PER_TOKEN = 4
_PIECE = re.compile(r"\s*\S+\s*|\s+")


class OfflineProvider:
    """Answers from the request alone, and always the same to the same request.

    It quotes and shortens what it was told or has read, calls the tools that a message names or plainly
    needs, and writes JSON where a schema asks for it. It invents nothing.

    Args:
        pause: Seconds between two pieces told to a listener, for showing streaming to a person.
    """

    name = "offline"

    def __init__(self, pause: float = 0.0) -> None:
        self._pause = pause

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        """Return the answer to `request`, telling `listener` of it word by word.

        Raises:
            TerminalModelError: No JSON could be made that fits `request.output_schema`.
        """
        answer = respond(request)
        text, finish = _limited(answer.text, request.max_output_tokens)
        if listener is not None:
            await self._tell(text, listener)
        calls = [
            ToolCall(id=_call_id(request, index, name, arguments), name=name, arguments=arguments)
            for index, (name, arguments) in enumerate(answer.calls)
        ]
        written = len(text) + sum(len(call.name) + len(_json(call.arguments)) for call in calls)
        return ModelResponse(
            text=text,
            tool_calls=calls,
            usage=Usage(input_tokens=_tokens(_read_chars(request)), output_tokens=_tokens(written)),
            finish_reason="tool_calls" if calls else finish,
            model=f"{self.name}:{request.model or 'extractive'}",
        )

    async def aclose(self) -> None:
        """Do nothing: nothing is held open."""

    async def _tell(self, text: str, listener: Listener) -> None:
        for piece in _PIECE.findall(text):
            listener(piece)
            if self._pause > 0:
                await asyncio.sleep(self._pause)


def _limited(text: str, tokens: int | None) -> tuple[str, FinishReason]:
    if tokens is None or len(text) <= tokens * _CHARS_PER_TOKEN:
        return text, "stop"
    return text[: tokens * _CHARS_PER_TOKEN], "length"


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


def _call_id(request: ModelRequest, index: int, name: str, arguments: Mapping[str, object]) -> str:
    # The place in the conversation is part of it, so that the same call in a later turn has another id.
    seed = _json([request.key, len(request.items), index, name, arguments])
    return "call_" + hashlib.sha256(seed.encode()).hexdigest()[:20]


def _tokens(chars: int) -> int:
    return -(-chars // _CHARS_PER_TOKEN)


def _read_chars(request: ModelRequest) -> int:
    chars = len(request.system)
    for item in request.items:
        chars += len(item.text)
        if isinstance(item, AssistantItem):
            chars += sum(len(call.name) + len(_json(call.arguments)) for call in item.tool_calls)
    for tool in request.tools:
        chars += len(tool.name) + len(tool.description) + len(_json(tool.parameters))
    return chars + (len(_json(request.output_schema)) if request.output_schema else 0)
