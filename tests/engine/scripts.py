"""A model provider that answers each agent as that agent's test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable

from aos.conversation import Usage
from aos.provider import Listener, ModelRequest, ModelResponse
from aos.testing import last_text

Answer = ModelResponse | str
Script = Callable[[ModelRequest], Answer | Awaitable[Answer]]


def echo(request: ModelRequest) -> str:
    """Answer with what was said last."""
    return f"echo: {last_text(request)}"


def in_order(*answers: Answer | Exception) -> Script:
    """Give the answers one after the other, and raise those that are errors."""
    left = iter(answers)

    def script(request: ModelRequest) -> Answer:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return script


def said(requests: Iterable[ModelRequest]) -> list[str]:
    """Return what was said last before each request."""
    return [last_text(request) for request in requests]


def progress(who: str, *, done: bool = False) -> str:
    """Return a progress ledger, as a planner's model writes it, by which `who` is next."""
    answers: dict[str, object] = {
        "is_request_satisfied": done,
        "is_in_loop": False,
        "is_progress_being_made": True,
        "next_speaker": who,
        "instruction_or_question": f"Look, {who}.",
    }
    return json.dumps({name: {"reason": "so it is", "answer": answer} for name, answer in answers.items()})


class Held:
    """A script that waits in the model call until it is let go, and then answers as `then` does."""

    def __init__(self, then: Script = echo, *, on: str = "") -> None:
        """Hold the calls in which `on` was said last; without one, every call."""
        self.reached = asyncio.Event()
        self._go = asyncio.Event()
        self._then = then
        self._on = on

    def let_go(self) -> None:
        """Let every call that waits, and every later one, be answered."""
        self._go.set()

    async def __call__(self, request: ModelRequest) -> Answer:
        if self._on in last_text(request):
            self.reached.set()
            await self._go.wait()
        answer = self._then(request)
        return answer if isinstance(answer, (ModelResponse, str)) else await answer


class ScriptedAgents:
    """The provider `scripted`: the model `scripted:<agent>` answers by the script of that agent.

    `requests` holds what each model was asked.
    """

    name = "scripted"

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.requests: dict[str, list[ModelRequest]] = {}
        self._running: set[asyncio.Task[ModelResponse]] = set()

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        """Return the script's answer; with a listener, tell it word by word."""
        self.requests.setdefault(request.model, []).append(request)
        task = asyncio.create_task(self._answer(request))
        self._running.add(task)
        try:
            response = await task
        finally:
            task.cancel()
            self._running.discard(task)
        if listener:
            for word in response.text.split(" "):
                listener(word + " ")
        return response

    async def _answer(self, request: ModelRequest) -> ModelResponse:
        answer = self.scripts.get(request.model, echo)(request)
        if not isinstance(answer, (ModelResponse, str)):
            answer = await answer
        if isinstance(answer, str):
            answer = ModelResponse(text=answer, usage=Usage(input_tokens=10, output_tokens=5))
        return answer.model_copy(update={"model": answer.model or request.model})

    def cut_short(self) -> None:
        """End the calls that still wait, so that a worker need not wait for them."""
        for task in self._running:
            task.cancel()

    async def aclose(self) -> None:
        """Nothing is open."""
