"""What agents write into shared memory, and read from it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aos.conversation import UserItem
from aos.errors import InvalidInput, RetryableError, RetryableModelError, TerminalError
from aos.tools import Tool, ToolCallInfo, in_call
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.builtin.recalling import recalling_tools
from aos_activities.builtin.remembering import remembering_tools
from aos_activities.conversations import Conversations
from aos_activities.memory.access import MemoryAccess
from aos_activities.memory.sqlite import SqliteMemory
from engine.noticeboard import NoticeBoard

TASK = "team/sales#t1"


class Mind:
    """The tools of agents over one memory. Each call is one of its own, unless a key is given."""

    def __init__(self, memory: SqliteMemory, store: SqliteBlobStore) -> None:
        self.memory = memory
        self.conversations = Conversations(store)
        self.store = store
        self.access = MemoryAccess(memory, None, NoticeBoard())
        made = [*remembering_tools(self.access), *recalling_tools(store, self.conversations, self.access)]
        self._tools: dict[str, Tool[..., Any]] = {tool.name: tool for tool in made}
        self._calls = 0

    async def call(
        self, tool: str, arguments: dict[str, Any], *, agent: str = "ada", id: str = "", task: str = ""
    ) -> str:
        self._calls += 1
        info = ToolCallInfo(
            key=id or f"life/{self._calls}",
            agent=agent,
            message_id="m1",
            task=task,
            permissions=["memory.org"] if agent == "boss" else [],
        )
        used = self._tools[tool]
        with in_call(info):
            return str(await used(**used.validate(arguments)))

    async def remember(self, key: str, text: str, **options: Any) -> str:
        """Remember something: `scope` and so on are arguments, the rest is the call's."""
        call = {name: options.pop(name) for name in ("agent", "id", "task") if name in options}
        return await self.call("remember", {"key": key, "text": text, **options}, **call)

    async def recall(self, query: str, **call: Any) -> str:
        """Recall from memory alone."""
        return await self.call("recall", {"query": query, "where": "memory"}, **call)


@pytest_asyncio.fixture
async def mind(tmp_path: Path) -> AsyncGenerator[Mind]:
    memory, store = SqliteMemory(tmp_path / "memory.db"), SqliteBlobStore(tmp_path / "blobs.db")
    yield Mind(memory, store)
    await memory.aclose()
    await store.aclose()


async def test_what_is_remembered_is_recalled_with_who_knew_it(mind: Mind) -> None:
    told = await mind.remember("customers/acme", "Acme pays late.", tags=["payment"], why="the invoice of May")
    assert told == "remembered as customers/acme in self, version 1"
    found = await mind.recall("who pays late?")
    assert "[agent/ada customers/acme, version 1, fact by agent/ada" in found and "Acme pays late." in found
    record = await mind.memory.get("agent/ada", "customers/acme")
    assert record and (record.by, record.why, record.source) == ("agent/ada", "the invoice of May", "m1")


async def test_an_attempt_that_is_made_again_writes_once(mind: Mind) -> None:
    first = await mind.remember("a", "one", id="life/1")
    assert await mind.remember("a", "one", id="life/1") == first
    revision = {"key": "a", "text": "two", "version": 1}
    assert await mind.call("revise", revision, id="life/2") == await mind.call("revise", revision, id="life/2")
    gone = {"key": "a", "version": 2}
    assert await mind.call("forget", gone, id="life/3") == await mind.call("forget", gone, id="life/3")
    assert len(await mind.memory.log()) == 3


async def test_who_remembers_what_is_there_is_told_what_it_says_and_how_to_change_it(mind: Mind) -> None:
    await mind.remember("a", "one")
    with pytest.raises(TerminalError, match="it is there already; `revise` changes it") as error:
        await mind.remember("a", "two")
    assert "version 1" in str(error.value) and "one" in str(error.value)


async def test_who_revises_what_was_changed_meanwhile_is_told_what_is_there_and_can_go_on(mind: Mind) -> None:
    await mind.remember("plan", "Sail at dawn.", scope="team", task=TASK)
    await mind.call("revise", {"key": "plan", "text": "Sail at noon.", "version": 1, "scope": "team"}, task=TASK)
    late = {"key": "plan", "text": "Sail at dawn, with Bob.", "version": 1, "scope": "team"}
    for tool, arguments in (("revise", late), ("forget", {"key": "plan", "version": 1, "scope": "team"})):
        with pytest.raises(TerminalError, match="it has version 2 now, not 1") as error:
            await mind.call(tool, arguments, agent="bob", task=TASK)
        assert "Sail at noon." in str(error.value)
    await mind.call("revise", {**late, "text": "Sail at noon, with Bob.", "version": 2}, agent="bob", task=TASK)
    record = await mind.memory.get("team/sales", "plan")
    assert record and (record.text, record.version, record.by) == ("Sail at noon, with Bob.", 3, "agent/bob")


async def test_what_is_revised_keeps_its_kind_and_tags(mind: Mind) -> None:
    await mind.remember("how", "Knock twice.", kind="procedure", tags=["door"])
    await mind.call("revise", {"key": "how", "text": "Ring.", "version": 1})
    record = await mind.memory.get("agent/ada", "how")
    assert record and (record.kind, record.tags) == ("procedure", ["door"])


async def test_what_is_forgotten_is_not_recalled_and_may_be_remembered_anew(mind: Mind) -> None:
    await mind.remember("a", "harbour")
    await mind.call("forget", {"key": "a", "version": 1})
    assert await mind.recall("harbour") == "nothing in memory has any of these words"
    with pytest.raises(TerminalError, match="there is no a in agent/ada any more; `remember` makes it anew"):
        await mind.call("revise", {"key": "a", "text": "quay", "version": 1})
    assert "version 3" in await mind.remember("a", "quay")


async def test_what_is_an_agents_own_nobody_else_recalls(mind: Mind) -> None:
    await mind.remember("secret", "The harbour is mined.")
    assert "mined" in await mind.recall("harbour")
    assert "mined" not in await mind.recall("harbour", agent="bob")
    assert "mined" not in await mind.recall("secret", agent="bob")


async def test_members_of_a_team_share_what_it_knows_while_they_work_for_it(mind: Mind) -> None:
    await mind.remember("rule", "No discounts in May.", scope="team", task=TASK)
    await mind.remember("found", "Acme wants a discount.", scope="task", task=TASK)
    for query in ("discounts May", "Acme discount"):
        assert "discount" in await mind.recall(query, agent="bob", task=TASK)
        assert "discount" not in await mind.recall(query, agent="bob")
    assert "Acme" not in await mind.recall("Acme", agent="bob", task="team/sales#t2")


async def test_a_scope_that_an_agent_does_not_have_is_denied(mind: Mind) -> None:
    with pytest.raises(TerminalError, match="you work on no task of a team, so there is no scope 'team'"):
        await mind.remember("a", "x", scope="team")
    with pytest.raises(TerminalError, match=r"needs the permission 'memory\.org'"):
        await mind.remember("a", "x", scope="org")
    with pytest.raises(InvalidInput, match="scope"):
        await mind.remember("a", "x", scope="agent/bob")
    assert not await mind.memory.log()


async def test_who_may_writes_what_belongs_to_everybody_and_everybody_recalls_it(mind: Mind) -> None:
    await mind.remember("motto", "Nothing is lost.", scope="org", kind="block", agent="boss")
    assert "Nothing is lost." in await mind.recall("nothing lost", agent="bob")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"key": "../bob", "text": "x"}, "key"),
        ({"key": "", "text": "x"}, "key"),
        ({"key": "a", "text": ""}, "neither `text` nor `data`"),
        ({"key": "a", "text": "nul \0"}, "NUL"),
        ({"key": "a", "text": "x" * 70_000}, "longer than"),
        ({"key": "a" * 300, "text": "x"}, "200"),
        ({"key": "a", "text": "x", "tags": [""]}, "tags"),
    ],
)
async def test_what_cannot_be_a_record_is_refused_in_words_for_the_model(
    mind: Mind, arguments: dict[str, Any], problem: str
) -> None:
    with pytest.raises(TerminalError, match=problem):
        await mind.call("remember", arguments)
    assert not await mind.memory.log()


async def test_a_record_is_recalled_whole_by_its_key_and_cut_among_others(mind: Mind) -> None:
    await mind.remember("long/one", "harbour " * 1_000)
    assert (await mind.recall("long/one")).count("harbour") == 1_000
    assert (await mind.recall("harbour")).count("harbour") < 100


@pytest.mark.parametrize("query", ["a\0b", "'; DROP TABLE places; --", '"NEAR(a b', "../..", "x" * 20_000, "?!"])
async def test_nothing_that_is_looked_for_breaks_anything(mind: Mind, query: str) -> None:
    await mind.remember("port", "harbour")
    assert await mind.recall(query) == "nothing in memory has any of these words"
    assert "harbour" in await mind.recall("harbour")


async def test_recall_finds_in_memory_and_in_the_conversation(mind: Mind) -> None:
    await mind.remember("a", "The harbour is deep.")
    window = await mind.conversations.window("")
    draft = mind.conversations.extend("", window, [UserItem(text="My harbour is shallow.", id="m0")])
    await mind.store.save([draft.data])
    made: list[Tool[..., Any]] = [*recalling_tools(mind.store, mind.conversations, mind.access)]
    tool, _ = made
    with in_call(ToolCallInfo(key="k", agent="ada", conversation=draft.ref)):
        both = str(await tool("harbour"))
        talked = str(await tool("harbour", "conversation"))
    assert both.index("deep") < both.index("shallow")
    assert "deep" not in talked and "shallow" in talked


class Stubborn:
    """A model that never embeds."""

    model = "test:none"

    async def embed(self, texts: Sequence[str], *, question: bool = False) -> list[list[float]]:
        raise RetryableModelError("test", "none", "it is asleep", "wait", retry_after=7.0)

    async def aclose(self) -> None:
        """There is nothing to close."""


async def test_where_no_model_embeds_writes_wait_for_it_and_words_are_still_found(mind: Mind) -> None:
    await mind.remember("a", "harbour")
    access = MemoryAccess(mind.memory, Stubborn(), NoticeBoard())
    made: list[Tool[..., Any]] = [
        *remembering_tools(access),
        *recalling_tools(mind.store, mind.conversations, access),
    ]
    remember, _, _, recall, _ = made
    with in_call(ToolCallInfo(key="k", agent="ada")):
        with pytest.raises(RetryableError, match="asleep") as error:
            await remember("b", "quay")
        assert error.value.retry_after == 7.0
        assert "harbour" in str(await recall("harbour", "memory"))
    assert await mind.memory.get("agent/ada", "b") is None
