# /// script
# requires-python = ">=3.11"
# dependencies = ["autogen-agentchat==0.7.5", "autogen-ext==0.7.5"]
# ///
"""AutoGen: one AssistantAgent, or a RoundRobinGroupChat of three, is a conversation in memory. Nothing is durable."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    # In place of the script's own folder, and last, so that no file here hides a package of its name.
    sys.path[:] = [*sys.path[1:], str(Path(__file__).parents[1])]

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.replay import ReplayChatCompletionClient
from measure import MESSAGE, REPLY
from peers._peer import BLOCK, WARM_UP, main
from peers._team import MEMBERS


@dataclass
class AutoGenPeer:
    """The agents in this process."""

    turns: int
    """How many replies the model of each agent has."""

    agents: dict[str, AssistantAgent] = field(default_factory=dict[str, AssistantAgent])
    teams: dict[str, RoundRobinGroupChat] = field(default_factory=dict[str, RoundRobinGroupChat])
    parts: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    own: str = "worker"
    durable: bool = False

    async def start(self, names: Sequence[str]) -> None:
        for name in names:
            model = ReplayChatCompletionClient([REPLY] * self.turns)
            self.agents[name] = AssistantAgent(name.replace("-", "_"), model)

    async def ask(self, name: str, text: str) -> str:
        result = await self.agents[name].run(task=text)
        reply = result.messages[-1]
        return reply.content if isinstance(reply, TextMessage) else ""

    async def weigh(self, names: Sequence[str]) -> dict[str, float]:
        """What `save_state` would write, which nothing calls while it runs."""
        return {"bytes": float(sum([len(json.dumps(await self.agents[name].save_state())) for name in names]))}

    async def discuss(self, name: str, turns: int) -> AsyncGenerator[str]:
        members: list[ChatAgent | Team] = [
            AssistantAgent(member, ReplayChatCompletionClient([REPLY] * turns)) for member in MEMBERS
        ]
        self.teams[name] = RoundRobinGroupChat(members, max_turns=turns)
        async for event in self.teams[name].run_stream(task=MESSAGE):
            if isinstance(event, TextMessage) and event.source != "user":
                yield event.content

    async def weigh_team(self, name: str) -> dict[str, float]:
        """What `save_state` would write, which nothing calls while it runs."""
        return {"bytes": float(len(json.dumps(await self.teams[name].save_state()))) if name in self.teams else 0.0}


@asynccontextmanager
async def opened(arguments: argparse.Namespace) -> AsyncGenerator[AutoGenPeer]:
    """Nothing is to be opened."""
    yield AutoGenPeer(arguments.turns + BLOCK + 10 * WARM_UP)


if __name__ == "__main__":
    main("autogen", opened)
