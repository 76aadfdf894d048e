# /// script
# requires-python = ">=3.11"
# dependencies = ["autogen-agentchat==0.7.5", "autogen-ext==0.7.5"]
# ///
"""AutoGen: one AssistantAgent is a conversation in memory. Nothing is durable."""

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
from autogen_agentchat.messages import TextMessage
from autogen_ext.models.replay import ReplayChatCompletionClient
from measure import REPLY
from peers._peer import BLOCK, WARM_UP, main


@dataclass
class AutoGenPeer:
    """The agents in this process."""

    turns: int
    """How many replies the model of each agent has."""

    agents: dict[str, AssistantAgent] = field(default_factory=dict[str, AssistantAgent])
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


@asynccontextmanager
async def opened(arguments: argparse.Namespace) -> AsyncGenerator[AutoGenPeer]:
    """Nothing is to be opened."""
    yield AutoGenPeer(arguments.turns + BLOCK + 10 * WARM_UP)


if __name__ == "__main__":
    main("autogen", opened)
