"""A model's answer while it comes in, whole or in pieces."""

from __future__ import annotations

import json

from aos.conversation import ToolCall, Usage
from aos.provider import FinishReason, Listener, ModelRequest, ModelResponse
from aos_activities.models.tool_calls import (
    LONGEST_ID,
    LONGEST_NAME,
    bounded,
    clean,
    read_arguments,
    repaired,
    wire_name,
)

_MODEL_CHARS = 200


class Draft:
    """Gathers the text and the tool calls of one answer and tells `listener` of the text."""

    def __init__(self, request: ModelRequest, listener: Listener | None) -> None:
        self._items = request.items
        self._names = {wire_name(tool.name): tool.name for tool in request.tools}
        self._listener = listener
        self._text: list[str] = []
        self._calls: dict[int, _CallDraft] = {}

    def say(self, piece: str) -> None:
        """Take the next piece of the text."""
        piece = clean(piece)
        if piece:
            self._text.append(piece)
            if self._listener:
                self._listener(piece)

    def call(self, index: int, *, call_id: str = "", name: str = "", arguments: object = "") -> None:
        """Take the next piece of the tool call at `index`. `arguments` is a piece of JSON text, or the whole value."""
        call = self._calls.setdefault(index, _CallDraft())
        call.id = call.id or call_id
        call.name = call.name or name
        call.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)

    def response(self, finish: FinishReason, usage: Usage, model: str) -> ModelResponse:
        """Return the whole answer."""
        calls = [self._calls[index].tool_call(self._names) for index in sorted(self._calls)]
        return ModelResponse(
            text="".join(self._text),
            tool_calls=bounded(repaired(calls, self._items)),
            usage=usage,
            finish_reason="tool_calls" if calls and finish == "stop" else finish,
            model=clean(model[:_MODEL_CHARS]),
        )


class _CallDraft:
    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments = ""

    def tool_call(self, names: dict[str, str]) -> ToolCall:
        name = clean(self.name[:LONGEST_NAME])
        arguments, malformed = read_arguments(self.arguments)
        call_id = clean(self.id) if len(self.id) <= LONGEST_ID else ""
        return ToolCall(id=call_id, name=names.get(name, name), arguments=arguments, malformed=clean(malformed))
