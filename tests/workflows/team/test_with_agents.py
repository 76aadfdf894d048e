"""Teams whose members are real agents."""

from __future__ import annotations

from typing import Any

from aos.message import Reply
from aos.provider import ModelRequest, ModelResponse
from aos.team_views import TaskReport, TeamFarewell
from aos.testing import calls, last_text
from engine.engine import Engine
from engine.scripts import in_order, progress


async def run(engine: Engine, *members: dict[str, Any], **spec: Any) -> tuple[Reply, TaskReport]:
    team = await engine.start_team(*members, **spec)
    handle = engine.temporal.get_workflow_handle(f"team/{team}")
    reply: Reply = await handle.execute_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's
        "ask", {"text": "count the ships", "id": "t1"}, result_type=Reply
    )
    report = await handle.query("task", {"id": "t1"}, result_type=TaskReport)
    # The children are found by their team, where the server is set up for it.
    await engine.until(
        lambda: engine.temporal.count_workflows(f"AosTeam = '{team}'"), lambda found: found.count == len(members)
    )
    await handle.signal("stop")
    farewell = TeamFarewell.model_validate(await handle.result())
    assert farewell.tasks_done == 1
    return reply, report


async def test_agents_speak_in_turn(engine: Engine) -> None:
    reply, report = await run(
        engine,
        engine.member("ada", lambda request: "seven ships"),
        engine.member("bob", lambda request: f"checked: {last_text(request)[-20:]}"),
    )
    assert reply.text.startswith("checked:") and "seven ships" in reply.text
    assert [line.source for line in report.lines] == ["user", "ada", "bob"]
    assert report.task.tokens == 30


async def test_an_agent_hands_off_and_another_says_that_it_is_done(engine: Engine) -> None:
    def ada(request: ModelRequest) -> ModelResponse:
        return calls(("handoff", {"to": "bob", "text": "over to bob"}))

    def bob(request: ModelRequest) -> ModelResponse:
        return calls(("finish", {"text": "all done"}))

    reply, report = await run(
        engine,
        engine.member("ada", ada),
        engine.member("bob", bob),
        strategy={"type": "swarm"},
        termination={"type": "stop_message"},
    )
    assert reply.text == "all done"
    assert [(line.source, line.handoff) for line in report.lines] == [("user", ""), ("ada", "bob"), ("bob", "")]
    assert report.task.stop_reason == "bob said that the task is done"


async def test_a_long_text_reaches_an_agent_by_reference(engine: Engine) -> None:
    long = "ship " * 2000 + "THE END"
    _, report = await run(
        engine,
        engine.member("ada", lambda request: long),
        engine.member("bob", lambda request: f"seen {'THE END' in str(request.items)}"),
    )
    assert report.result == "seen True"


async def test_work_that_no_member_can_do_goes_to_an_agent_outside_that_can(engine: Engine) -> None:
    skill = f"skill-{engine.name()}"
    paused, able = await engine.start(skills=[skill]), await engine.start(lambda request: "dug", skills=[skill])
    await engine.client.pause(paused)
    query = f"AosSkills = '{skill}' AND ExecutionStatus = 'Running'"
    await engine.until(lambda: engine.temporal.count_workflows(query), lambda found: found.count == 2)
    reply, report = await run(
        engine, engine.member("ada", lambda request: "never"), strategy={"type": "by_skill", "skill": skill}
    )
    assert reply.text == "dug"
    assert [line.source for line in report.lines] == ["user", f"agent/{able}"]
    assert report.task.stop_reason == f"agent/{able} did it"
    assert (engine.requests(able), engine.requests(paused)) == (1, 0)


async def test_a_planner_leads_agents(engine: Engine) -> None:
    ledgers = [progress("ada"), progress("bob"), progress("bob", done=True)]
    model = engine.model(in_order("FACTS", "PLAN", *ledgers, "seven, in the north"))
    reply, report = await run(
        engine,
        engine.member("ada", lambda request: f"told to look: {'Look, ada.' in last_text(request)}"),
        engine.member("bob", lambda request: f"told of ada: {'told to look: True' in last_text(request)}"),
        strategy={"type": "planner", "model": model},
    )
    assert reply.text == "seven, in the north"
    said = [(line.source, line.text) for line in report.lines]
    assert said[1:] == [("ada", "told to look: True"), ("bob", "told of ada: True")]


async def test_agents_work_along_a_graph_that_parts_and_joins(engine: Engine) -> None:
    edges = [
        {"source": "ada", "target": "bob"},
        {"source": "ada", "target": "cyd"},
        {"source": "ada", "target": "eve", "condition": "storm"},
        {"source": "bob", "target": "dan"},
        {"source": "cyd", "target": "dan"},
    ]

    def heard(request: ModelRequest) -> str:
        return " and ".join(name for name in ("bob", "cyd") if f"{name} was here" in last_text(request))

    reply, report = await run(
        engine,
        engine.member("ada", lambda request: "calm"),
        *(engine.member(name, lambda request, name=name: f"{name} was here") for name in ("bob", "cyd", "eve")),
        engine.member("dan", heard),
        strategy={"type": "graph", "edges": edges},
    )
    assert reply.text == "bob and cyd"
    sources = [line.source for line in report.lines]
    assert (sources[:2], sorted(sources[2:4]), sources[4:]) == (["user", "ada"], ["bob", "cyd"], ["dan"])


async def test_an_arbiter_settles_what_agents_contradict_each_other_in(engine: Engine) -> None:
    arbiter = {"by": "model", "model": engine.model(in_order('{"number": 2, "reason": "nobody may be late"}'))}
    reply, report = await run(
        engine,
        engine.member("ada", lambda request: "at ten"),
        engine.member("bob", lambda request: "at nine"),
        purpose="be in time",
        strategy={"type": "broadcast", "merge": "arbitrate", "arbiter": arbiter},
    )
    assert reply.text == "at nine"
    assert "settled by a model: nobody may be late" in report.task.stop_reason
    (request,) = engine.models.requests[arbiter["model"].removeprefix("scripted:")]
    assert all(part in str(request) for part in ("be in time", "at ten", "at nine"))
