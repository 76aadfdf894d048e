"""An application whose tools tests can watch and hold."""

from __future__ import annotations

import asyncio

from aos.app import App
from aos.tools import current_call, tool

runs: list[str] = []
"""Idempotency keys of the calls of `hammer`, in order."""

news: dict[str, str] = {}
"""What `look` answers, by place."""

held: dict[str, asyncio.Event] = {}
"""By bench: set once `hold` runs there."""


@tool
async def hammer(nail: str) -> str:
    """Hit a nail."""
    runs.append(current_call().key)
    return f"hit {nail}"


@tool
async def look(place: str) -> str:
    """Look what is new at a place."""
    return news.get(place, "nothing")


@tool(timeout="30s", idempotent=False)
async def hold(bench: str) -> str:
    """Hold on until the call is cancelled."""
    held.setdefault(bench, asyncio.Event()).set()
    await asyncio.Event().wait()
    return "never"


@tool
async def write(size: int) -> str:
    """Write that many letters."""
    return "x" * size


@tool(permission="saw")
async def saw(board: str) -> str:
    """Saw a board."""
    return f"sawed {board}"


workshop = App("workshop", tools=[hammer, look, hold, write, saw])
