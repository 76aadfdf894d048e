"""A conversation that went on while it was summarised."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from aos.conversation import AssistantItem, Item, SummaryItem, UserItem
from aos.memory import Committed, Embedded, Filter, Transaction
from aos.provider import Listener, ModelRequest, ModelResponse
from aos.store import ref_of
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.compaction import CompactionActivities, CompactRequest, ReplantRequest
from aos_activities.conversations import Conversations
from aos_activities.memory.access import MemoryAccess
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_activities.programs import Program
from engine.noticeboard import NoticeBoard


class Talk:
    """A conversation in a store, and activities that shorten it."""

    def __init__(self, store: SqliteBlobStore) -> None:
        self._store = store
        self.conversations = Conversations(store)
        self.activities = CompactionActivities(store, ProviderRegistry([], []), self.conversations)

    async def goes_on(self, head: str, *texts: str) -> str:
        """Have something said after `head`, in one step, and return the new head."""
        items: list[Item] = [UserItem(text=text) for text in texts]
        draft = self.conversations.extend(head, await self.conversations.window(head), items)
        await self._store.save([draft.data])
        return draft.ref

    async def shortened(self, head: str, *items: Item) -> str:
        """Return the head of a conversation that stands for the one up to `head`."""
        draft = self.conversations.restart(head, items)
        await self._store.save([draft.data])
        return draft.ref

    async def texts(self, head: str) -> Sequence[str]:
        """Return what a model is shown, read by a worker that has kept nothing."""
        return [item.text for item in (await Conversations(self._store).window(head)).items]


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(SqliteBlobStore(tmp_path / "blobs.db"))


async def test_what_was_said_meanwhile_follows_the_summary(talk: Talk) -> None:
    base = await talk.goes_on(await talk.goes_on("", "one"), "two")
    shortened = await talk.shortened(base, SummaryItem(text="one"), AssistantItem(text="two"))
    head = await talk.goes_on(await talk.goes_on(base, "three", "four"), "five")
    planted = await talk.activities.replant(ReplantRequest(base=base, shortened=shortened, head=head))
    assert await talk.texts(planted.head) == ["one", "two", "three", "four", "five"]
    assert planted.context_tokens == (await talk.conversations.window(planted.head)).tokens
    originals = [item.text async for _, item in talk.conversations.newest_first(planted.head)]
    assert originals == ["five", "four", "three", "two", "one"]


async def test_a_conversation_that_was_taken_back_meanwhile_stays_as_it_is(talk: Talk) -> None:
    before = await talk.goes_on("", "one")
    base = await talk.goes_on(before, "two, which failed")
    shortened = await talk.shortened(base, SummaryItem(text="one and two"))
    head = await talk.goes_on(before, "three")
    planted = await talk.activities.replant(ReplantRequest(base=base, shortened=shortened, head=head))
    assert planted.head == head
    assert await talk.texts(planted.head) == ["one", "three"]


async def test_a_conversation_that_was_shortened_already_stays_as_it_is(talk: Talk) -> None:
    base = await talk.goes_on(await talk.goes_on("", "one"), "two")
    again = await talk.shortened(base, SummaryItem(text="both"))
    head = await talk.goes_on(again, "three")
    planted = await talk.activities.replant(ReplantRequest(base=base, shortened=again, head=head))
    assert planted.head == head


async def test_it_comes_to_the_same_however_often_it_is_done(talk: Talk) -> None:
    base = await talk.goes_on("", "one")
    shortened = await talk.shortened(base, SummaryItem(text="one"))
    request = ReplantRequest(base=base, shortened=shortened, head=await talk.goes_on(base, "two"))
    assert await talk.activities.replant(request) == await talk.activities.replant(request)


class Summariser:
    """A model that summarises, and counts how often."""

    name = "scripted"

    def __init__(self) -> None:
        self.calls = 0

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        self.calls += 1
        return ModelResponse(text="They spoke of words.")

    async def aclose(self) -> None:
        """Nothing is open."""


class FailsOnce(SqliteMemory):
    """A memory that cannot be written at first."""

    failed = False

    async def commit(self, transaction: Transaction, embedded: Embedded | None = None) -> Committed:
        if not self.failed:
            self.failed = True
            raise OSError("the disk is full")
        return await super().commit(transaction, embedded)


async def test_an_episode_is_kept_once_and_its_summary_paid_for_once_whatever_fails(tmp_path: Path) -> None:
    store, memory, model = SqliteBlobStore(tmp_path / "blobs.db"), FailsOnce(tmp_path / "memory.db"), Summariser()
    talk, environment = Talk(store), ActivityEnvironment()
    program = Program(system="", models=["scripted:x"], tools=[], context_tokens=1000).model_dump_json().encode()
    await store.save([program])
    head = await talk.goes_on(await talk.goes_on("", "word " * 1000), "so?")
    access = MemoryAccess(memory, None, NoticeBoard())
    activities = CompactionActivities(store, ProviderRegistry([model], ["scripted:x"]), talk.conversations, access)
    request = CompactRequest(agent="ada", program=ref_of(program), head=head)
    with pytest.raises(OSError, match="disk"):
        await environment.run(activities.compact, request)
    first = await environment.run(activities.compact, request)
    assert await environment.run(activities.compact, request) == first
    assert model.calls == 1
    (episode,) = await memory.page(Filter(scopes=["agent/ada"]))
    assert (episode.kind, episode.text, episode.version) == ("episode", "They spoke of words.", 1)
    await memory.aclose()
    await store.aclose()
