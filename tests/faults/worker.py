"""The worker processes that tests kill: the product's workers, with models and tools that tell an outside service."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path

import aos_workers.worker
from aos.app import App
from aos.connection import connect
from aos.conversation import Usage
from aos.provider import Listener, ModelRequest, ModelResponse
from aos.testing import calls, last_text
from aos.tools import current_call, tool
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.compaction import SUMMARISE
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_workers.home import Home
from aos_workers.settings import Settings
from aos_workers.worker import Parts, app_worker, running_workers
from faults import relay, variants
from faults.outside import Outside

PAYMENTS = 2
"""Payments that an agent on the model `spend` makes at every bank it knows."""

FATAL_PAYMENTS = 50
"""With so many new payments done, and none of them told of, a worker kills itself."""

HELD = "held when stored"
"""The answer that a worker stores and then says nothing of, the first time."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a worker process is to be. `workflow` names one of `variants`, or is empty for the product's.

    Without `agents` it serves nothing but the tools of the `banks`.
    """

    address: str
    home: Path
    outside: Path
    agents: bool = True
    banks: tuple[str, ...] = ()
    build_id: str = ""
    workflow: str = ""


def run(order: Order, log: Path, ready: Connection) -> None:
    """Serve until SIGTERM, or until the process that asked for it is gone."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    asyncio.run(_serve(order, ready))


async def _serve(order: Order, ready: Connection) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if parent := parent_process():
        loop.add_reader(parent.sentinel, stop.set)
    outside = Outside(order.outside)
    client = await connect(order.address)
    store = _Store(Home(order.home).blobs, outside)
    apps = [bank(name, outside) for name in order.banks]
    async with AsyncExitStack() as stack:
        if order.agents:
            if order.workflow:
                # The product's worker serves the workflow of this name.
                setattr(aos_workers.worker, "PerpetualAgent", getattr(variants, order.workflow))  # noqa: B010
            settings = Settings(home=order.home, build_id=order.build_id)
            registry = ProviderRegistry([_Model(outside)], ["told:plain"])
            parts = Parts(store=store, registry=registry, memory=SqliteMemory(Home(order.home).memory))
            await stack.enter_async_context(running_workers(client, settings, parts, apps))
        else:
            for app in apps:
                await stack.enter_async_context(app_worker(client, app, store))
        ready.send(True)
        await stop.wait()


def bank(name: str, outside: Outside) -> App:
    """Return an application whose tool pays, and does not come back from a payment that is new."""
    new: list[str] = []

    @tool(name=f"pay-{name}", timeout="60s", attempts=100)
    async def pay(amount: int) -> str:
        """Pay an amount."""
        call = current_call()
        if outside.take("payment", call.key, f"{call.agent} {name} {amount}"):
            new.append(call.key)
            if len(new) == FATAL_PAYMENTS:
                os.kill(os.getpid(), signal.SIGKILL)
            await _for_ever()
        return f"paid {amount}"

    return App(name, tools=[pay])


class _Store(SqliteBlobStore):
    """Does not come back from the first save of a step or a summary whose answer is `HELD`."""

    def __init__(self, path: Path, outside: Outside) -> None:
        super().__init__(path)
        self._outside = outside

    async def save(self, blobs: Iterable[bytes], links: Mapping[str, str] | None = None) -> None:
        kept = list(blobs)
        await super().save(kept, links)
        link = next((key for key in links or {} if key.startswith(("step/", "compact/"))), "")
        if link and any(HELD.encode() in blob for blob in kept) and self._outside.take("saved", link):
            await _for_ever()


class _Model:
    """The provider `told`: it tells the outside service of each call.

    `told:<name>` answers by the method `_<name>`, or else as in `relay`.
    """

    name = "told"

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._scripts: dict[str, Callable[[ModelRequest], Awaitable[ModelResponse | str]]] = {
            "plain": self._plain,
            "held": self._held,
            "stored": self._stored,
            "summed": self._summed,
            "busy": self._busy,
            "spend": self._spend,
        }

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        answer = await self._scripts.get(request.model, self._passes_on)(request)
        if isinstance(answer, str):
            answer = ModelResponse(text=answer)
        return answer.model_copy(update={"model": request.model, "usage": Usage(input_tokens=10, output_tokens=5)})

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _plain(self, request: ModelRequest) -> str:
        text = last_text(request)
        self._outside.note("thought", request.key, text)
        return f"done: {text}"

    async def _held(self, request: ModelRequest) -> str:
        text = last_text(request)
        if self._outside.take("thought", request.key, text) and text.startswith("hold"):
            await _for_ever()
        return f"done: {text}"

    async def _stored(self, request: ModelRequest) -> str:
        self._outside.take("thought", request.key, last_text(request))
        return HELD

    async def _summed(self, request: ModelRequest) -> str:
        if (text := last_text(request)) == SUMMARISE:
            self._outside.take("summary", request.key)
            return HELD
        return f"done: {text[:100]}"

    async def _busy(self, request: ModelRequest) -> ModelResponse | str:
        text = last_text(request)
        if text.startswith("tools") and request.items[-1].kind != "tool":
            return calls(("current_time", {}), ("current_time", {"timezone": "Europe/Berlin"}))
        return f"done: {text[:100]}"

    async def _passes_on(self, request: ModelRequest) -> ModelResponse | str:
        kind = "chosen" if request.model.endswith("chooser") else "thought"
        self._outside.note(kind, request.key, f"{request.model} {relay.passed_on(last_text(request))}")
        return relay.answer(request)

    async def _spend(self, request: ModelRequest) -> ModelResponse | str:
        if request.items[-1].kind == "tool":
            paid = sum(item.text.startswith("paid ") for item in request.items if item.kind == "tool")
            return f"{paid} payments"
        banks = [schema.name for schema in request.tools if schema.name.startswith("pay-")]
        first = PAYMENTS * int(last_text(request))
        amounts: list[dict[str, object]] = [{"amount": first + number} for number in range(PAYMENTS)]
        return calls(*((name, amount) for name in banks for amount in amounts))


async def _for_ever() -> None:
    await asyncio.Event().wait()
