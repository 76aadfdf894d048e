"""What is wrong is said to whoever sent it, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from engine.theatre import Theatre, puppet

GHOST = {"name": "ghost", "address": "ghost"}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"members": []}, "members"),
        ({}, "members: this field is required"),
        ({"members": [GHOST, GHOST]}, "two called ghost"),
        ({"members": [{"name": "ghost"}]}, "give one of agent, team and address"),
        ({"members": [GHOST], "strategy": {"type": "graph", "edges": [{"source": "a", "target": "b"}]}}, "no member"),
        (
            {"members": [GHOST], "strategy": {"type": "graph", "edges": [{"source": "ghost", "target": "ghost"}]}},
            "no start",
        ),
        ({"members": [GHOST], "strategy": {"type": "chess"}}, "chess"),
        ({"members": [GHOST], "termination": {"type": "token_usage"}}, "give total, input or output"),
        ({"members": [GHOST], "strategy": {"type": "selector", "function": "stage/fly"}}, "fly"),
        ({"members": [GHOST], "strategy": {"type": "selector", "model": "nobody:x"}}, "nobody"),
        ({"members": [GHOST], "sise": 3}, "there is no such field"),
    ],
)
async def test_a_team_that_cannot_be_is_refused(theatre: Theatre, fields: dict[str, Any], problem: str) -> None:
    name = theatre.name()
    handle = await theatre.start_by_hand(name, {"name": name, **fields})
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.type == "InvalidInput"
    assert problem in failure.value.cause.message


async def test_a_team_must_have_the_id_of_its_name(theatre: Theatre) -> None:
    name = theatre.name()
    handle = await theatre.start_by_hand(name, {"name": "other", "members": [GHOST]})
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert "team/other" in str(failure.value.cause)


@pytest.mark.parametrize(
    ("update", "given", "problem"),
    [
        ("change_members", {}, "give add, remove, replace or roles"),
        ("change_members", {"remove": ["zoe"]}, "there is no member 'zoe'; there are ada, bob"),
        ("change_members", {"add": [puppet("ada")]}, "there is a member 'ada' already"),
        ("change_members", {"add": [puppet("cyd"), puppet("cyd")]}, "there are two called 'cyd'"),
        ("change_members", {"remove": ["ada", "bob"]}, "a team keeps one member at least"),
        ("change_members", {"remove": ["ada"]}, "edge names 'ada'"),
        ("change_members", {"replace": [puppet("zoe")]}, "there is no member 'zoe'"),
        ("change_members", {"roles": {"zoe": "x"}}, "there is no member 'zoe'"),
        ("configure", {}, "give the fields to change"),
        ("configure", {"name": "x"}, "there is no such field"),
        ("configure", {"strategy": {"type": "broadcast", "merge": "member", "merger": "zoe"}}, "zoe"),
        ("configure", {"patience": -1}, "patience"),
        ("end_task", {"id": "t9"}, "there is no task 't9'"),
        ("end_task", {}, "id: this field is required"),
        ("ask", {"txt": "x"}, "did you mean 'text'"),
        ("ask", {"text": ""}, "text"),
        ("ask", [1], "object"),
    ],
)
async def test_a_wrong_update_is_refused(theatre: Theatre, update: str, given: object, problem: str) -> None:
    edges = [{"source": "ada", "target": "bob"}]
    team = await theatre.start(puppet("ada"), puppet("bob"), strategy={"type": "graph", "edges": edges})
    before = await theatre.team(team).query("spec")
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await theatre.update(team, update, given)
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError) and cause.type == "InvalidInput"
    assert problem in cause.message
    assert await theatre.team(team).query("spec") == before


async def test_a_team_at_rest_answers_a_query_that_comes_right_after_a_refused_update(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"))
    await theatre.ask(team, "go")
    for _ in range(3):
        with pytest.raises(WorkflowUpdateFailedError):
            await theatre.update(team, "ask", {"txt": "x"})
        assert (await theatre.team(team).query("spec"))["name"] == team


async def test_a_wrong_signal_becomes_a_dead_letter(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"))
    handle = theatre.team(team)
    for name, given in (
        ("send", {"txt": "x"}),
        ("send", "x"),
        ("reply", {"status": "done"}),
        ("probe", 3),
        ("break", {}),
        ("sing", {}),
        ("stop", {"when": "yesterday"}),
    ):
        await handle.signal(name, given)
    await handle.signal("reply", {"id": "of nobody", "status": "done", "text": "x"})
    await handle.signal("send", args=[{"text": "x"}, {"text": "y"}])
    dead = await theatre.until(lambda: handle.query("dead_letters"), lambda dead: dead["count"] >= 8)
    assert dead["count"] == 8
    assert (await theatre.ask(team, "go")).status == "done"
    assert not await theatre.failed_tasks(team)


async def test_a_selector_that_names_nobody_ends_with_a_clear_error(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"), puppet("bob"), strategy={"type": "selector", "function": "stage/look"})
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await theatre.ask(team, "go")
    assert "stage/look" in str(failure.value.cause)
