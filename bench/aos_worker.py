"""The AOS worker of the benchmark: the real one, with a model that answers at once.

Usage: python -m bench.aos_worker ADDRESS HOME [--cached N] [--tools]
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from aos.app import App
from aos.connection import connect
from aos.conversation import ToolItem, Usage
from aos.provider import Listener, ModelRequest, ModelResponse
from aos.testing import calls, last_text
from aos.tools import tool
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_workers.home import Home
from aos_workers.settings import Settings
from aos_workers.worker import Parts, running_workers
from bench.measure import REPLY
from bench.processes import serve_until_told

TOOL = "bench/touch"


class InstantModel:
    """A model that answers at once. Told `tools N`, it calls the tool `touch` N times first."""

    name = "instant"

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        """Return the answer."""
        said = last_text(request)
        word, _, count = said.partition(" ")
        if word == "tools" and not isinstance(request.items[-1], ToolItem):
            wanted: list[tuple[str, dict[str, object]]] = [
                ("touch", {"number": number}) for number in range(int(count))
            ]
            response = calls(*wanted)
        else:
            response = ModelResponse(text=REPLY)
        return response.model_copy(update={"model": request.model, "usage": Usage(input_tokens=10, output_tokens=5)})

    async def aclose(self) -> None:
        """Nothing is open."""


@tool
async def touch(number: int) -> str:
    """Touch what has that number."""
    return f"touched {number}"


async def main(address: str, home: Home, *, cached: int, tools: bool) -> None:
    """Serve until told to stop."""
    client = await connect(address)
    registry = ProviderRegistry([InstantModel()], [f"{InstantModel.name}:model"])
    parts = Parts(store=SqliteBlobStore(home.blobs), registry=registry, memory=SqliteMemory(home.memory))
    apps = [App("bench", tools=[touch])] if tools else []
    settings = Settings(home=home.path, agents_cached=cached)
    async with running_workers(client, settings, parts, apps):
        await serve_until_told()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("home", type=Path)
    parser.add_argument("--cached", type=int, default=2000)
    parser.add_argument("--tools", action="store_true")
    given = parser.parse_args()
    asyncio.run(main(given.address, Home(given.home), cached=given.cached, tools=given.tools))
