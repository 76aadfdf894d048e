"""Teams whose members are real agents."""

from __future__ import annotations

from typing import Any

from aos.message import Reply
from aos.names import TASK_QUEUE, TEAM_WORKFLOW
from aos.provider import ModelRequest, ModelResponse
from aos.team_views import TaskReport, TeamFarewell
from aos.testing import calls, last_text
from engine.engine import Engine
from engine.scripts import Script


def member(engine: Engine, name: str, script: Script, **fields: Any) -> dict[str, Any]:
    agent = engine.name()
    engine.models.scripts[agent] = script
    engine.models.requests[agent] = []
    return {"name": name, "agent": {"name": agent, "model": f"scripted:{agent}", **fields}}


async def run(engine: Engine, *members: dict[str, Any], **spec: Any) -> tuple[Reply, TaskReport]:
    team = engine.name()
    handle = await engine.temporal.start_workflow(
        TEAM_WORKFLOW, {"name": team, "members": members, **spec}, id=f"team/{team}", task_queue=TASK_QUEUE
    )
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
        member(engine, "ada", lambda request: "seven ships"),
        member(engine, "bob", lambda request: f"checked: {last_text(request)[-20:]}"),
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
        member(engine, "ada", ada),
        member(engine, "bob", bob),
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
        member(engine, "ada", lambda request: long),
        member(engine, "bob", lambda request: f"seen {'THE END' in str(request.items)}"),
    )
    assert report.result == "seen True"
