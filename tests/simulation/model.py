"""The model of a simulated world: it answers by chance, and looks whether what it is shown is a valid conversation."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from aos.conversation import AssistantItem, Item, ToolCall, ToolItem, Usage
from aos.errors import RetryableModelError, TerminalModelError
from aos.provider import Listener, ModelRequest, ModelResponse
from simulation.store import Fuse
from simulation.truth import Broken, Truth

_FAILS, _FAILS_FOR_GOOD, _CALLS_TOOLS, _LONG = 0.04, 0.07, 0.3, 0.1
_WRONG_OUTPUT = 0.4


class SimulatedModel:
    """A model provider. Its models are called `sim:<anything>`."""

    name = "sim"

    def __init__(self, chance: Random, truth: Truth, fuse: Fuse) -> None:
        self._chance = chance
        self._truth = truth
        self._fuse = fuse
        self._answers = 0
        self.calm = False
        """Whether it has stopped to fail."""

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        """Return an answer, or raise what a provider may raise."""
        self._fuse.burn()
        check_paired(request.items)
        self._truth.called_model(request.key)
        draw = self._chance.random() if not self.calm else 1.0
        if draw < _FAILS:
            raise RetryableModelError("sim", request.model, "busy", "wait")
        if draw < _FAILS_FOR_GOOD:
            raise TerminalModelError("sim", request.model, "refused", "say something else")
        usage = Usage(input_tokens=self._chance.randrange(200), output_tokens=self._chance.randrange(50))
        if request.tools and draw < _CALLS_TOOLS:
            calls = [self._call(index) for index in range(self._chance.choice((1, 1, 2, 4)))]
            response = ModelResponse(tool_calls=calls, usage=usage, finish_reason="tool_calls")
        else:
            response = ModelResponse(text=self._text(request), usage=usage)
        self._fuse.burn()
        return response.model_copy(update={"model": request.model})

    def _text(self, request: ModelRequest) -> str:
        self._answers += 1
        if request.output_schema and (self.calm or self._chance.random() > _WRONG_OUTPUT):
            text = f'{{"answer": {self._answers}}}'
        else:
            text = f"answer {self._answers}" + " and so on" * (
                self._chance.randrange(80) if self._chance.random() < _LONG else 0
            )
        self._truth.answered(text, request.items)
        return text

    def _call(self, index: int) -> ToolCall:
        call_id = f"call_{self._answers}_{index}"
        match self._chance.randrange(12):
            case 0:
                return ToolCall(id=call_id, name="saw", arguments={})
            case 1:
                return ToolCall(id=call_id, name="hammer", malformed="{nail")
            case 2 | 3:
                seconds = self._chance.choice((0, 1, 30.5, 4000))
                text = self._truth.sets_timer()
                return ToolCall(id=call_id, name="set_timer", arguments={"seconds": seconds, "text": text})
            case draw:
                return ToolCall(id=call_id, name="hammer", arguments={"nail": draw % 3})

    async def aclose(self) -> None:
        """Nothing is open."""


def check_paired(items: Sequence[Item]) -> None:
    """Look whether every tool call is followed by its one result, as providers demand.

    Raises:
        Broken: One has none or several, or a result has no call.
    """
    waited: list[str] = []
    for item in items:
        if isinstance(item, ToolItem):
            if item.call_id not in waited:
                raise Broken(f"the result of {item.call_id} comes twice or without its call")
            waited.remove(item.call_id)
            continue
        if waited:
            raise Broken(f"the calls {waited} have no result before {item.kind}: {item.text[:60]!r}")
        if isinstance(item, AssistantItem):
            waited = [call.id for call in item.tool_calls]
    if waited:
        raise Broken(f"the calls {waited} have no result at the end")
