"""A model's answer while it comes in, whole or in pieces."""

from __future__ import annotations

import json

from aos.conversation import ToolCall, Usage
from aos.provider import FinishReason, Listener, ModelRequest, ModelResponse
from aos_activities.models.tool_calls import read_arguments, repaired, wire_name


def clean(text: str) -> str:
    """Return `text` as it can be written in UTF-8: halves of surrogate pairs are joined or replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


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
            tool_calls=repaired(calls, self._items),
            usage=usage,
            finish_reason="tool_calls" if calls and finish == "stop" else finish,
            model=model,
        )


class _CallDraft:
    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments = ""

    def tool_call(self, names: dict[str, str]) -> ToolCall:
        name = clean(self.name)
        arguments, malformed = read_arguments(self.arguments)
        return ToolCall(id=clean(self.id), name=names.get(name, name), arguments=arguments, malformed=clean(malformed))
