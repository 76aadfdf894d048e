# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic-ai-slim[temporal]==2.68.0", "temporalio==1.35.0"]
# ///
"""Pydantic AI on Temporal: one workflow holds a conversation, one update is a turn, one activity asks the model."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

if __name__ == "__main__":
    # In place of the script's own folder, and last, so that no file here hides a package of its name.
    sys.path[:] = [*sys.path[1:], str(Path(__file__).parents[1])]

from pydantic import BaseModel
from pydantic_ai import Agent, ModelMessage, ModelResponse, TextPart
from pydantic_ai.durable_exec.temporal import PydanticAIPlugin, PydanticAIWorkflow, TemporalDurability
from pydantic_ai.models.function import AgentInfo, FunctionModel
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from measure import REPLY
    from peers._temporal_chat import run_chat


def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """The model: it answers at once."""
    return ModelResponse(parts=[TextPart(REPLY)])


agent = Agent(
    FunctionModel(answer), name="chat", instructions="You are a helpful agent.", capabilities=[TemporalDurability()]
)


class Kept(BaseModel):
    """What a run hands to the next."""

    messages: list[ModelMessage] = []
    bytes: int = 0
    events: int = 0


@workflow.defn
class Chat(PydanticAIWorkflow):
    """A conversation. It continues as new when Temporal suggests it."""

    __pydantic_ai_agents__ = (agent,)

    @workflow.init
    def __init__(self, kept: Kept | None) -> None:
        self.kept = kept or Kept()
        self.turn = asyncio.Lock()

    @workflow.run
    async def run(self, kept: Kept | None) -> None:
        await workflow.wait_condition(
            lambda: workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()
        )
        size, events = self.written()
        workflow.continue_as_new(Kept(messages=self.kept.messages, bytes=size, events=events))

    @workflow.update
    async def ask(self, text: str) -> str:
        async with self.turn:
            result = await agent.run(text, message_history=self.kept.messages)
            self.kept.messages = result.all_messages()
            return result.output

    @workflow.query
    def written(self) -> list[int]:
        now = workflow.info()
        return [
            self.kept.bytes + now.get_current_history_size(),
            self.kept.events + now.get_current_history_length(),
        ]


if __name__ == "__main__":
    run_chat("pydantic_ai", Chat, PydanticAIPlugin)
