"""One step of thinking: it is paid for once, whatever becomes of the attempts at it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import ActivityEnvironment

from aos.conversation import UserItem
from aos.memory import Position, Transaction, Write
from aos.spec import AgentSpec
from aos.store import ref_of
from aos.testing import ScriptedProvider
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.conversations import Conversations
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_activities.programs import Program
from aos_activities.think import ThinkActivities, ThinkRequest, Thought


class Thinking:
    """The model activity over a store of its own, with a model that counts."""

    def __init__(self, store: SqliteBlobStore, memory: SqliteMemory) -> None:
        self.store = store
        self.model = ScriptedProvider(lambda request: f"answer {len(self.model.requests)}")
        registry = ProviderRegistry([self.model], ["scripted:one"])
        self.memory = memory
        self._activities = ThinkActivities(store, registry, Conversations(store), memory)

    async def think(self, request: ThinkRequest, *, attempt: int = 1) -> Thought:
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, attempt=attempt)
        return await environment.run(self._activities.think, request)


@pytest_asyncio.fixture
async def thinking(tmp_path: Path) -> AsyncGenerator[Thinking]:
    store, memory = SqliteBlobStore(tmp_path / "blobs.db"), SqliteMemory(tmp_path / "memory.db")
    yield Thinking(store, memory)
    await store.aclose()
    await memory.aclose()


@pytest_asyncio.fixture
async def request_(thinking: Thinking) -> ThinkRequest:
    program = Program(system=AgentSpec(name="ada").name, models=[], tools=[], context_tokens=1000)
    data = program.model_dump_json().encode()
    await thinking.store.save([data])
    new = [UserItem(text="hello", id="m1")]
    return ThinkRequest(life="l", turn=1, step=0, program=ref_of(data), new=[*new], answers=["m1"])


async def test_a_thought_whose_completion_was_lost_is_not_paid_for_twice(
    thinking: Thinking, request_: ThinkRequest
) -> None:
    first = await thinking.think(request_)
    assert await thinking.think(request_, attempt=2) == first
    assert len(thinking.model.requests) == 1


async def test_a_step_that_the_workflow_let_go_of_finds_the_thought_that_came_of_it(
    thinking: Thinking, request_: ThinkRequest
) -> None:
    first = await thinking.think(request_)
    assert await thinking.think(request_.model_copy(update={"again": True})) == first
    assert len(thinking.model.requests) == 1


@pytest.mark.parametrize("again", [False, True])
async def test_a_step_about_something_else_is_thought(
    thinking: Thinking, request_: ThinkRequest, *, again: bool
) -> None:
    await thinking.think(request_)
    other = request_.model_copy(update={"new": [UserItem(text="good-bye", id="m1")], "again": again})
    assert (await thinking.think(other, attempt=2)).text == "answer 2"


async def test_blocks_stand_in_the_prompt_as_they_are_at_each_step(thinking: Thinking, request_: ThinkRequest) -> None:
    blocks = [
        Position(scope="org", key="motto"),
        Position(scope="team/sales", key="rules"),
        Position(scope="org", key="no"),
    ]
    data = Program(system="You are ada.", blocks=blocks).model_dump_json().encode()
    await thinking.store.save([data])

    async def put(id: str, scope: str, key: str, text: str) -> None:
        write = Write(scope=scope, key=key, text=text, kind="block")
        await thinking.memory.commit(Transaction(id=id, writes=[write]))

    await put("1", "org", "motto", "Nothing is lost.")
    await put("2", "team/sales", "rules", "No discounts.")
    for turn, motto in enumerate(("Nothing is lost.", "Nothing is lost, ever."), start=1):
        await thinking.think(request_.model_copy(update={"program": ref_of(data), "turn": turn}))
        system = thinking.model.requests[-1].system
        assert system.startswith("You are ada.") and motto in system and "No discounts." in system
        await put(f"{turn} again", "org", "motto", "Nothing is lost, ever.")
