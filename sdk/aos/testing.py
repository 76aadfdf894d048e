"""For tests of agents: a model that answers as told, through the real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aos.conversation import ToolCall, Usage, UserItem
from aos.provider import Listener, ModelRequest, ModelResponse

Script = Callable[[ModelRequest], ModelResponse | str]


class ScriptedProvider:
    """A model provider whose answers a test gives, as a function of the request or as a list in order.

    Its models are named `scripted:<anything>`. `requests` holds what it was asked.
    """

    def __init__(self, script: Script | Iterable[ModelResponse | str | Exception], *, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        self._script = script if callable(script) else _in_order(script)

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        """Return the script's answer; with a listener, tell it word by word."""
        self.requests.append(request)
        answer = self._script(request)
        if isinstance(answer, str):
            answer = ModelResponse(text=answer, usage=Usage(input_tokens=10, output_tokens=5))
        if listener:
            for word in answer.text.split(" "):
                listener(word + " ")
        return answer.model_copy(update={"model": answer.model or request.model})

    async def aclose(self) -> None:
        """Nothing is open."""


def _in_order(answers: Iterable[ModelResponse | str | Exception]) -> Script:
    left = iter(answers)

    def script(request: ModelRequest) -> ModelResponse | str:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return script


def calls(*wanted: tuple[str, dict[str, object]]) -> ModelResponse:
    """Return an answer that calls tools, each given as name and arguments."""
    tool_calls = [
        ToolCall(id=f"call_{index}", name=name, arguments=arguments) for index, (name, arguments) in enumerate(wanted)
    ]
    return ModelResponse(tool_calls=tool_calls, finish_reason="tool_calls")


def last_text(request: ModelRequest) -> str:
    """Return what was said to the agent last."""
    return next((item.text for item in reversed(request.items) if isinstance(item, UserItem)), "")
