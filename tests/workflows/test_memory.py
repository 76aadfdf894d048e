"""Shared memory on the workers of the product: what agents and clients write, and who is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from aos.errors import InvalidInput, MemoryConflict
from aos.memory import Committed, Filter, scope_topic
from aos.memory_use import USE_MEMORY_WORKFLOW
from aos.names import TASK_QUEUE
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls
from engine.engine import Engine
from engine.scripts import Script, echo, said
from engine.talkers import Call, making, results

TOOLS = ["remember", "revise", "forget", "subscribe"]


def a_key() -> str:
    """Return a key that no other test has: they share one memory."""
    return f"key-{uuid4().hex[:10]}"


async def test_what_one_agent_remembers_for_all_another_one_recalls(engine: Engine) -> None:
    key = a_key()
    known = {"key": key, "text": "The Corvina carries kumquats.", "scope": "org", "tags": ["ships"]}
    ada = await engine.start(making(("remember", known)), tools=TOOLS, permissions=["memory.org"])
    bob = await engine.start(making(("recall", {"query": "what does the Corvina carry?"})))
    assert await engine.ask(ada, "go", id=f"m-{key}") == f"remembered as {key} in org, version 1"
    assert "The Corvina carries kumquats." in await engine.ask(bob, "go")
    record = await engine.client.memory.get("org", key)
    assert record and (record.by, record.source) == (f"agent/{ada}", f"m-{key}")


async def test_an_agent_without_the_permission_writes_nothing_for_all(engine: Engine) -> None:
    key = a_key()
    eve = await engine.start(making(("remember", {"key": key, "text": "x", "scope": "org"})), tools=TOOLS)
    assert "needs the permission 'memory.org'" in await engine.ask(eve, "go")
    assert await engine.client.memory.get("org", key) is None


async def test_members_share_the_memory_of_their_team(engine: Engine) -> None:
    key = a_key()

    def calling(*call: Call) -> Script:
        """Make calls whatever is asked, and answer with what they came to."""
        return lambda request: " ".join(item.text for item in results(request)) or calls(*call)

    finder = engine.member(
        "finder", calling(("remember", {"key": key, "text": "It is blue.", "scope": "team"})), tools=TOOLS
    )
    team = await engine.start_team(finder, engine.member("user", calling(("recall", {"query": key}))))
    assert "It is blue." in (await engine.client.ask(f"team/{team}", "What colour is it?")).text
    record = await engine.client.memory.get(f"team/{team}", key)
    assert record and record.text == "It is blue."


async def test_of_agents_that_change_one_record_one_wins_and_the_others_go_on_from_there(
    engine: Engine,
) -> None:
    key = a_key()
    await engine.client.memory.put("org", key, "0")

    def count(request: ModelRequest) -> ModelResponse | str:
        """Add one to the number in the record; after a refusal, to what is there now."""
        found = results(request)
        if found and found[-1].text.startswith("revised"):
            return found[-1].text
        told = found[-1].text if found else "version 1, x]\n0"
        number, version = int(told.split("]\n")[1].split("\n")[0]), int(told.split("version ")[-1].split(",")[0])
        change: dict[str, object] = {"key": key, "text": str(number + 1), "version": version, "scope": "org"}
        return calls(("revise", change))

    spec: dict[str, Any] = {"tools": TOOLS, "permissions": ["memory.org"], "max_steps": 40}
    agents = [await engine.start(count, **spec) for _ in range(4)]
    await asyncio.gather(*(engine.ask(agent, "go") for agent in agents))
    record = await engine.client.memory.get("org", key)
    assert record and (record.text, record.version) == ("4", 5)
    versions = [version.text async for version in engine.client.memory.versions("org", key)]
    assert versions == ["4", "3", "2", "1", "0"]


async def test_who_subscribes_to_a_scope_is_told_what_changes_there(engine: Engine) -> None:
    team = f"team/{engine.name()}"
    topic = scope_topic(team)
    ada = await engine.start(making(("subscribe", {"topic": topic})), tools=TOOLS)
    await engine.ask(ada, "go")
    await engine.client.memory.put(team, "plan", "Sail at noon.", by="boss", why="the tide")
    await engine.until_handled(ada, 2)
    heard = said(engine.models.requests[ada])[-1]
    assert heard.startswith(f"boss changed plan in {team} (the tide)")
    assert '"key": "plan"' in heard and '"version": 1' in heard and "noon" not in heard
    await engine.client.topics.stop(topic)


async def test_a_block_changes_in_the_prompt_of_an_agent_that_lives(engine: Engine) -> None:
    key = a_key()
    ada = await engine.start(echo, blocks=[{"scope": "org", "key": key}])
    for text in ("Be brief.", "Be thorough."):
        await engine.client.memory.put("org", key, text, kind="block")
        await engine.ask(ada, "hello")
        assert engine.models.requests[ada][-1].system.endswith(text)
    await engine.client.memory.forget("org", key)
    await engine.ask(ada, "hello")
    assert "thorough" not in engine.models.requests[ada][-1].system


async def test_a_client_reads_what_it_wrote_and_what_was_there_before(engine: Engine) -> None:
    memory, key = engine.client.memory, a_key()
    since = datetime(2026, 1, 1, tzinfo=UTC)
    first = await memory.put("org", key, "one", data={"n": [1]}, tags=["t"], valid_from=since, by="eve", why="because")
    then = (await _the(engine, key)).at
    assert (first, await memory.put("org", key, "two", expected=1)) == (1, 2)
    before = await memory.get("org", key, as_of=then)
    assert before and (before.text, before.data, before.tags, before.valid_from) == ("one", {"n": [1]}, ["t"], since)
    assert (before.by, before.why) == ("eve", "because")
    assert [record.text async for record in memory.records({"prefix": key})] == ["two"]
    assert [record.text async for record in memory.records(Filter(prefix=key, tags=["t"]))] == []
    assert [found.record.text for found in await memory.search({"text": key, "prefix": key})] == ["two"]
    with pytest.raises(MemoryConflict) as error:
        await memory.put("org", key, "three", expected=1)
    assert error.value.conflicts == [["org", key, 1, 2]]
    assert await memory.forget("org", key, expected=2) == 3
    assert await memory.get("org", key) is None
    entries = [entry async for entry in memory.log() if any(change.key == key for change in entry.changed)]
    assert [change.version for entry in entries for change in entry.changed] == [1, 2, 3]


async def test_what_need_not_stand_in_memory_is_forgotten_and_what_changes_meanwhile_stays(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, scope = engine.client.memory, f"team/{engine.name()}"
    await memory.put(scope, "a", "The tide turns at noon.")
    await memory.put(scope, "b", "the  tide turns at NOON.")
    await memory.put(scope, "offer", "Ten for nine.", valid_to=datetime(2026, 1, 1, tzinfo=UTC))
    await memory.put(scope, "race", "Ten for eight.", valid_to=datetime(2026, 1, 1, tzinfo=UTC))
    for number in range(3):
        await memory.put(scope, f"episodes/{number}", f"We met {number} times.", kind="episode")
    would = await memory.compact({"scopes": [scope]}, episodes=2, dry_run=True)
    assert [(each.key, each.reason) for each in would] == [
        ("a", "twice"),
        ("episodes/0", "old"),
        ("offer", "over"),
        ("race", "over"),
    ]
    commit = memory.commit

    async def too_late(transaction: Any) -> Committed:
        monkeypatch.setattr(memory, "commit", commit)
        await memory.put(scope, "race", "Ten for eight, until further notice.")
        return await commit(transaction)

    monkeypatch.setattr(memory, "commit", too_late)
    done = await memory.compact({"scopes": [scope]}, episodes=2, by="eve")
    assert [each.key for each in done] == ["a", "episodes/0", "offer"]
    left = [record.key async for record in memory.records({"scopes": [scope]})]
    assert left == ["b", "episodes/1", "episodes/2", "race"]
    (forgotten, _) = [version async for version in memory.versions(scope, "offer")]
    assert (forgotten.forgotten, forgotten.by, forgotten.why) == (True, "eve", "it was no longer so")
    assert await memory.compact({"scopes": [scope]}, episodes=2) == []
    with pytest.raises(InvalidInput, match="below zero"):
        await memory.compact(episodes=-1)


async def test_a_transaction_happens_once_however_often_it_is_given(engine: Engine) -> None:
    memory, key = engine.client.memory, a_key()
    given = {
        "id": key,
        "writes": [{"scope": "org", "key": key, "text": "x"}, {"scope": "agent/ada", "key": key, "text": "y"}],
    }
    done = [await memory.commit(given) for _ in range(2)]
    assert [each.repeated for each in done] == [False, True]
    assert done[0].versions == done[1].versions == [1, 1]
    with pytest.raises(InvalidInput, match="was used for another one"):
        await memory.commit({**given, "why": "another"})


async def test_more_records_than_one_answer_carries_are_had_one_after_the_other(engine: Engine) -> None:
    memory, scope = engine.client.memory, f"agent/{engine.name()}"
    for first in range(0, 40, 10):
        texts = [{"scope": scope, "key": f"{number:02}", "text": "x" * 60_000} for number in range(first, first + 10)]
        await memory.commit({"writes": texts})
    assert [record.key async for record in memory.records({"scopes": [scope]})] == [
        f"{number:02}" for number in range(40)
    ]
    for number in range(30):
        await memory.put(scope, "much", f"{number}" + "x" * 60_000)
    assert [record.version async for record in memory.versions(scope, "much")] == list(range(30, 0, -1))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "give one of commit, get, versions, page, search, log, not nothing"),
        ({"get": {"scope": "org", "key": "a"}, "log": {}}, "not get and log"),
        ({"get": {"scope": "planet/mars", "key": "a"}}, "get.scope"),
        ({"get": {"scope": "org", "key": "a/../b"}}, "get.key"),
        ({"search": {"text": ""}}, "search.text"),
        ({"commit": {"id": "x", "writes": []}}, "commit.writes"),
        ({"commit": {"id": "x", "writes": [{"scope": "org", "key": "a", "text": "nul \0"}]}}, "NUL"),
        ({"fetch": {}}, "fetch"),
        ("x", "object"),
    ],
)
async def test_a_request_that_cannot_be_is_refused(engine: Engine, given: object, problem: str) -> None:
    with pytest.raises(WorkflowFailureError) as failure:
        await engine.temporal.execute_workflow(USE_MEMORY_WORKFLOW, given, id=uuid4().hex, task_queue=TASK_QUEUE)
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError) and cause.type == "InvalidInput"
    assert problem in cause.message


async def _the(engine: Engine, key: str) -> Any:
    record = await engine.client.memory.get("org", key)
    assert record is not None
    return record
