"""An application whose tools tests can watch and hold."""

from __future__ import annotations

import asyncio

from pydantic import JsonValue

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


asked_of_count: list[int] = []
"""How many messages `count` was told of, each time."""


@tool
async def count(messages: list[dict[str, str]]) -> bool:
    """Say whether ada has spoken twice."""
    asked_of_count.append(len(messages))
    return any(message["text"].endswith(" 2") for message in messages)


@tool
async def choose(messages: list[dict[str, str]], participants: list[str]) -> str:
    """Say that the last of the participants is next, the first time."""
    return participants[-1] if len(messages) == 1 else ""


@tool
async def approved(text: str) -> bool:
    """Say whether a text is approved."""
    return "approved" in text


@tool
async def longest(task: str, purpose: str, answers: list[dict[str, JsonValue]]) -> dict[str, JsonValue]:
    """Rule that the longest answer holds."""
    answer = max(answers, key=lambda each: len(str(each["text"])))
    return {"number": answer["number"], "reason": f"the longest serves {purpose!r} best"}


workshop = App("workshop", tools=[hammer, look, hold, write, saw, count, choose, approved, longest])
stage = App("stage", tools=[look, count, choose, approved, longest])
