# /// script
# requires-python = ">=3.11"
# dependencies = ["temporalio-openai-agents==1.1.0", "openai-agents==0.22.3", "temporalio==1.35.0"]
# ///
"""OpenAI Agents on Temporal: one workflow holds a conversation, one update is a turn, one activity asks the model."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # In place of the script's own folder, and last, so that no file here hides a package of its name.
    sys.path[:] = [*sys.path[1:], str(Path(__file__).parents[1])]

from agents import Agent, ModelResponse, RunConfig, Runner, TResponseInputItem
from temporalio import workflow
from temporalio.openai_agents import OpenAIAgentsPlugin
from temporalio.openai_agents.testing import ResponseBuilders, TestModel, TestModelProvider

with workflow.unsafe.imports_passed_through():
    from measure import REPLY
    from peers._temporal_chat import run_chat


def answer() -> ModelResponse:
    """The model: it answers at once."""
    return ResponseBuilders.output_message(REPLY)


@dataclass
class Kept:
    """What a run hands to the next."""

    # Plain dictionaries: read as their own types they come back as iterators, which the next turn cannot copy.
    messages: list[Any] = field(default_factory=list[Any])
    bytes: int = 0
    events: int = 0


@workflow.defn
class Chat:
    """A conversation. It continues as new when Temporal suggests it."""

    @workflow.init
    def __init__(self, kept: Kept | None) -> None:
        self.kept = kept or Kept()
        self.turn = asyncio.Lock()
        self.agent = Agent(name="chat", instructions="You are a helpful agent.")

    @workflow.run
    async def run(self, kept: Kept | None) -> None:
        await workflow.wait_condition(
            lambda: workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()
        )
        size, events = self.written()
        workflow.continue_as_new(Kept(self.kept.messages, size, events))

    @workflow.update
    async def ask(self, text: str) -> str:
        async with self.turn:
            message: TResponseInputItem = {"role": "user", "content": text}
            messages = [*self.kept.messages, message]
            result = await Runner.run(self.agent, messages, run_config=RunConfig(tracing_disabled=True))
            self.kept.messages = result.to_input_list()
            return result.final_output_as(str)

    @workflow.query
    def written(self) -> list[int]:
        now = workflow.info()
        return [
            self.kept.bytes + now.get_current_history_size(),
            self.kept.events + now.get_current_history_length(),
        ]


def plugin() -> OpenAIAgentsPlugin:
    """The plugin of client and worker, with the model that answers at once, without traces."""
    return OpenAIAgentsPlugin(model_provider=TestModelProvider(TestModel(answer)), add_temporal_spans=False)


if __name__ == "__main__":
    run_chat("openai_agents", Chat, plugin)
