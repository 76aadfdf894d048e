"""Teams of teams: what is said to the outermost reaches every agent, and every answer comes back."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from aos.message import Message
from aos.provider import ModelRequest
from engine.engine import running_engine

BRANCHES, LONG_BRANCHES = 4, 10
DEPTH = 3


def _answer(request: ModelRequest) -> str:
    """Answer with the number that stands in the agent's instructions."""
    return re.findall(r"leaf (\S+)", request.system)[-1]


def _tree(name: str, branches: int, depth: int, place: str = "") -> dict[str, Any]:
    """Return a team of so many teams of teams, the innermost of agents."""
    members: list[dict[str, Any]] = []
    for number in range(branches):
        here = f"{place}{number}"
        if depth > 1:
            members.append({"name": f"m{number}", "team": _tree(f"{name}.{number}", branches, depth - 1, f"{here}-")})
        else:
            agent = {"name": f"{name}.a{number}", "model": "scripted:leaf", "instructions": f"You are leaf {here}"}
            members.append({"name": f"m{number}", "agent": {**agent, "tools": []}})
    return {"name": name, "members": members, "strategy": {"type": "broadcast"}}


def _leaves(branches: int, depth: int, place: str = "") -> list[str]:
    if not depth:
        return [place.removesuffix("-")]
    return [leaf for number in range(branches) for leaf in _leaves(branches, depth - 1, f"{place}{number}-")]


@pytest.mark.timeout(900)
async def test_a_tree_of_teams_finishes_a_broadcast_with_none_missing(
    temporal: WorkflowEnvironment, tmp_path: Path, long_form: bool
) -> None:
    branches = LONG_BRANCHES if long_form else BRANCHES
    async with running_engine(temporal.client, tmp_path) as engine:
        engine.models.scripts["leaf"] = _answer
        teams, name = engine.client.teams, engine.name()
        # A whole tree of this size is too large for one spec: its branches live already when its root is born.
        parts = [_tree(f"{name}.{number}", branches, DEPTH - 1, f"{number}-") for number in range(branches)]
        await asyncio.gather(*map(teams.start, parts))
        members = [{"name": f"m{number}", "address": f"team/{name}.{number}"} for number in range(branches)]
        await teams.start({"name": name, "members": members, "strategy": {"type": "broadcast"}})
        reply = await engine.client.ask(f"team/{name}", Message(text="who is there?", id="t1"))
        answers = re.findall(r"\b\d+(?:-\d+)+", reply.text)
        assert answers == _leaves(branches, DEPTH), "each agent has answered once, in the order of the teams"
        assert engine.requests("leaf") == branches**DEPTH
        assert (await teams.task(name, "t1")).task.stop_reason == f"{branches} answered"
        await asyncio.gather(*(teams.stop(f"{name}.{number}") for number in range(branches)), teams.stop(name))
        alive = f"ExecutionStatus = 'Running' AND AosTeam STARTS_WITH '{name}.'"
        while (await engine.temporal.count_workflows(alive)).count:
            await asyncio.sleep(0.1)
