"""What the strategies ask of models, functions and members, on a real server."""

from __future__ import annotations

import json

import pytest

from engine.scripts import in_order, progress
from engine.theatre import Theatre, puppet


async def spoke(theatre: Theatre, team: str) -> list[str]:
    return [source for source, _ in await theatre.said(team, "t1")][1:]


async def test_a_function_selects_and_leaves_the_rest_to_the_model(theatre: Theatre) -> None:
    theatre.models.scripts["judge"] = in_order("I think ada or bob", "bob")
    theatre.models.requests["judge"] = []
    team = await theatre.start(
        puppet("ada"),
        puppet("bob"),
        puppet("cyd", role="knows the tides"),
        strategy={"type": "selector", "function": "stage/choose", "model": "scripted:judge"},
        termination={"type": "max_messages", "count": 3},
    )
    await theatre.ask(team, "go", id="t1")
    assert await spoke(theatre, team) == ["cyd", "bob"]
    assert len(theatre.models.requests["judge"]) == 2


async def test_a_graph_parts_joins_and_loops_as_functions_say(theatre: Theatre) -> None:
    edges = [
        {"source": "ada", "target": "bob", "group": "first"},
        {"source": "ada", "target": "cyd", "group": "first"},
        {"source": "bob", "target": "dan", "group": "join"},
        {"source": "cyd", "target": "dan", "group": "join"},
        {"source": "dan", "target": "bob", "group": "again", "condition": "once more"},
        {"source": "dan", "target": "cyd", "group": "again", "condition": "once more"},
        {"source": "dan", "target": "eve", "condition": "tool:stage/approved"},
    ]
    team = await theatre.start(
        *map(puppet, ["ada", "bob", "cyd"]),
        puppet("dan", "once more", "approved"),
        puppet("eve"),
        strategy={"type": "graph", "edges": edges, "start": ["ada"]},
    )
    reply = await theatre.ask(team, "go", id="t1")
    said = await spoke(theatre, team)
    steps = [sorted(step) for step in (said[:1], said[1:3], said[3:4], said[4:6], said[6:7], said[7:])]
    assert steps == [["ada"], ["bob", "cyd"], ["dan"], ["bob", "cyd"], ["dan"], ["eve"]]
    assert reply.status == "done"


async def test_a_planner_leads_to_an_answer(theatre: Theatre) -> None:
    theatre.models.scripts["planner"] = in_order(
        "FACTS",
        "PLAN",
        progress("bob"),
        "no ledger",
        progress("ada"),
        progress("ada", done=True),
        "It is in the north.",
    )
    team = await theatre.start(
        puppet("ada", "north"), puppet("bob", "not south"), strategy={"type": "planner", "model": "scripted:planner"}
    )
    reply = await theatre.ask(team, "Where is the harbour?", id="t1")
    assert (reply.status, reply.text) == ("done", "It is in the north.")
    assert await spoke(theatre, team) == ["bob", "ada"]
    (told,) = await theatre.heard(theatre.child(team, "bob"))
    assert "PLAN" in told["text"] and told["text"].endswith("Look, bob.")
    report = await theatre.task(team, "t1")
    assert isinstance(report.ledger, dict) and report.ledger["plan"] == "PLAN"


@pytest.mark.parametrize(
    ("arbiter", "by", "text"),
    [
        ({"by": "rule", "function": "stage/longest"}, "the function stage/longest", "at ten o'clock"),
        ({"by": "vote"}, "vote", "at nine"),
        ({"by": "member", "member": "jo"}, "jo", "at nine"),
        ({"by": "model", "model": "scripted:arbiter"}, "a model", "at ten o'clock"),
    ],
)
async def test_a_contradiction_is_settled_and_the_ruling_is_kept(
    theatre: Theatre, arbiter: dict[str, str], by: str, text: str
) -> None:
    theatre.models.scripts["arbiter"] = in_order('{"number": 2, "reason": "the purpose says so"}')
    members = [
        puppet("ada", "at nine", "1, it is"),
        puppet("bob", "at ten o'clock", "2"),
        puppet("cyd", "At nine", "1"),
    ]
    if arbiter["by"] == "member":
        members.append(puppet("jo", "1 it is"))
    team = await theatre.start(
        *members, purpose="be late", strategy={"type": "broadcast", "merge": "arbitrate", "arbiter": arbiter}
    )
    reply = await theatre.ask(team, "When?", id="t1")
    assert (reply.status, reply.text) == ("done", text)
    report = await theatre.task(team, "t1")
    assert f"settled by {by}" in report.task.stop_reason
    (ruling,) = json.loads(report.model_dump_json())["ledger"]["rulings"]
    assert ruling["by"] == by and ruling["reason"]
