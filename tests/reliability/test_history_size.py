"""What a turn costs in history stays the same however long the conversation is."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.testing import WorkflowEnvironment

from aos.conversation import ToolItem
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls
from engine.engine import Engine, running_engine
from engine.tools import workshop

EVENTS, BYTES = 11, 2 * 1024
TURNS, LONG_TURNS = 250, 10_000
CALLS = 100
RESULT_BYTES = 8_000
HISTORY_BYTES = 2 * 1024 * 1024


async def _cost_of_a_turn(engine: Engine, name: str, text: str) -> tuple[int, int]:
    """Return how many events and bytes one ask adds to the history of the run."""
    before = await engine.events(name)
    await engine.client.ask(name, text)
    added: list[HistoryEvent] = (await engine.events(name))[len(before) :]
    return len(added), sum(event.ByteSize() for event in added)


@pytest.mark.timeout(900)
async def test_a_plain_turn_costs_as_little_history_late_in_a_life_as_at_turn_ten(
    temporal: WorkflowEnvironment, tmp_path: Path, long_form: bool
) -> None:
    turns = LONG_TURNS if long_form else TURNS
    async with running_engine(temporal.client, tmp_path) as engine:
        name = await engine.start(purpose="talk", rollover_events=1_500)
        for number in range(9):
            await engine.client.ask(name, f"number {number}")
        tenth = await _cost_of_a_turn(engine, name, "number ten")
        for number in range(10, turns - 1):
            await engine.client.send(name, f"number {number}")
            if number % 100 == 0:
                await engine.until_handled(name, number)
        await engine.until_handled(name, turns - 1)
        late = await _cost_of_a_turn(engine, name, "number last")
        assert (await engine.client.status(name)).turns == turns
    for events, size in (tenth, late):
        assert events <= EVENTS
        assert size <= BYTES
    assert late[0] == tenth[0]
    assert late[1] <= tenth[1] * 1.05


@pytest.mark.timeout(300)
async def test_a_message_with_a_hundred_tool_calls_over_200k_tokens_needs_less_than_two_mebibytes_of_history(
    temporal: WorkflowEnvironment, tmp_path: Path
) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        results = sum(isinstance(item, ToolItem) for item in request.items)
        if results < CALLS:
            return calls(("write", {"size": RESULT_BYTES + results}))
        return f"done, having read {sum(len(item.text) for item in request.items)} characters"

    async with running_engine(temporal.client, tmp_path, apps=[workshop]) as engine:
        tools = {"tools": ["workshop/write"], "max_steps": CALLS + 10, "context_tokens": 1_000_000}
        name = await engine.start(script, purpose="read a lot", **tools)
        reply = await engine.client.ask(name, "Read everything.")
        runs = [await engine.events(name, run_id) for run_id in await engine.runs(name)]
        status = await engine.client.status(name)
    assert int(reply.text.split()[3]) >= CALLS * RESULT_BYTES
    assert status.context_tokens >= 200_000
    assert sum(event.ByteSize() for run in runs for event in run) < HISTORY_BYTES
