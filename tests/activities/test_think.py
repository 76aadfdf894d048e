"""One step of thinking: it is paid for once, whatever becomes of the attempts at it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import ActivityEnvironment

from aos.conversation import UserItem
from aos.spec import AgentSpec
from aos.store import ref_of
from aos.testing import ScriptedProvider
from aos_activities.conversations import Conversations
from aos_activities.models.registry import ProviderRegistry
from aos_activities.programs import Program
from aos_activities.store import SqliteBlobStore
from aos_activities.think import ThinkActivities, ThinkRequest, Thought


class Thinking:
    """The model activity over a store of its own, with a model that counts."""

    def __init__(self, store: SqliteBlobStore) -> None:
        self.store = store
        self.model = ScriptedProvider(lambda request: f"answer {len(self.model.requests)}")
        registry = ProviderRegistry([self.model], ["scripted:one"])
        self._activities = ThinkActivities(store, registry, Conversations(store))

    async def think(self, request: ThinkRequest, *, attempt: int = 1) -> Thought:
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, attempt=attempt)
        return await environment.run(self._activities.think, request)


@pytest_asyncio.fixture
async def thinking(tmp_path: Path) -> AsyncGenerator[Thinking]:
    store = SqliteBlobStore(tmp_path / "blobs.db")
    yield Thinking(store)
    await store.aclose()


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
