"""What a team does with tasks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from engine.theatre import Theatre, puppet


async def test_members_speak_in_turn_until_each_has_spoken(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"), puppet("bob"), puppet("cyd"))
    reply = await theatre.ask(team, "count the ships", id="t1")
    assert (reply.status, reply.text, reply.steps) == ("done", f"{team}.cyd 1", 3)
    assert reply.usage.cost == 300
    assert await theatre.said(team, "t1") == [
        ("user", "count the ships"),
        ("ada", f"{team}.ada 1"),
        ("bob", f"{team}.bob 1"),
        ("cyd", f"{team}.cyd 1"),
    ]
    report = await theatre.task(team, "t1")
    assert (report.task.status, report.task.turns, report.task.messages) == ("done", 3, 4)
    assert report.task.stop_reason == "each member has spoken once"
    assert not await theatre.failed_tasks(team)


async def test_a_member_is_told_what_was_said_since_its_last_turn(theatre: Theatre) -> None:
    team = await theatre.start(
        puppet("ada", "one", "three", role="counts"),
        puppet("bob", "two", "four", role="checks"),
        purpose="know the ships",
        termination={"type": "max_messages", "count": 5},
    )
    reply = await theatre.ask(team, "go", id="t1")
    assert reply.text == "four"
    first, second = await theatre.heard(theatre.child(team, "ada"))
    for part in ("ada", team, "counts", "know the ships", "bob (checks)", "user: go"):
        assert part in first["text"]
    assert second["text"] == "bob: two"
    assert first["kind"] == "task" and first["sender"] == first["reply_to"] == f"team/{team}"
    assert first["task"] == f"team/{team}#t1" and first["waiting"] == [f"team/{team}#t1"]
    assert first["causation"] == ["t1"]
    assert (await theatre.heard(theatre.child(team, "bob")))[1]["text"] == "ada: three"


async def test_several_tasks_go_on_at_once_and_others_wait_by_priority(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", *[{"hold": True}] * 4), max_tasks=2)
    for number, priority in enumerate((3, 3, 5, 1)):
        await theatre.send(team, f"task {number}", id=f"t{number}", priority=priority)
        await theatre.until(lambda: theatre.status(team), lambda s, n=number: s.tasks_open == n + 1)
    views = {view.id: view.status for view in (await theatre.tasks(team)).tasks}
    assert views == {"t0": "working", "t1": "working", "t2": "waiting", "t3": "waiting"}
    await theatre.child(team, "ada").signal("let_go")
    await theatre.until_done(team, 4)
    heard = await theatre.heard(theatre.child(team, "ada"))
    assert [message["causation"] for message in heard] == [["t0"], ["t1"], ["t3"], ["t2"]]


async def test_a_task_that_comes_twice_is_done_once(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"))
    replies = [await theatre.ask(team, "go", id="t1") for _ in range(3)]
    assert {reply.text for reply in replies} == {f"{team}.ada 1"}
    assert len(await theatre.heard(theatre.child(team, "ada"))) == 1


async def test_a_slow_task_holds_no_other_up(theatre: Theatre) -> None:
    team = await theatre.start(
        puppet("ada", {"silent": True}), puppet("bob"), strategy={"type": "by_skill", "skill": ""}
    )
    await theatre.send(team, "slow", id="slow")
    await theatre.until_heard(theatre.child(team, "ada"))
    reply = await asyncio.wait_for(theatre.ask(team, "quick"), 10)
    assert reply.text == f"{team}.bob 1"
    assert (await theatre.status(team)).tasks_open == 1


async def test_a_long_text_goes_round_by_reference(theatre: Theatre) -> None:
    long = "ship " * 2000
    team = await theatre.start(puppet("ada", long), puppet("bob"), puppet("cyd", long))
    reply = await theatre.ask(team, "go")
    (told,) = await theatre.heard(theatre.child(team, "bob"))
    assert len(told["text"]) < 3000
    (part,) = told["parts"]
    assert (await theatre.store.load(part["ref"])).decode() == long
    assert reply.text == long and not reply.ref


async def test_a_failed_member_is_passed_over_and_noted(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"status": "failed", "error": "no ink", "text": ""}), puppet("bob"))
    reply = await theatre.ask(team, "go", id="t1")
    assert reply.text == f"{team}.bob 1"
    assert ("team", "ada could not speak: no ink") in await theatre.said(team, "t1")
    assert "ada could not speak: no ink" in (await theatre.heard(theatre.child(team, "bob")))[0]["text"]


async def test_a_silent_member_is_passed_over_after_the_patience(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"silent": True}), puppet("bob"), patience=0.3)
    reply = await theatre.ask(team, "go", id="t1")
    assert reply.text == f"{team}.bob 1"
    assert ("team", "ada could not speak: it gave no answer within 0.3 s") in await theatre.said(team, "t1")


async def test_a_task_whose_members_all_fail_says_so(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"status": "failed", "error": "no ink"}))
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await theatre.ask(team, "go")
    assert "no member can speak" in str(failure.value.cause) or "no ink" in str(failure.value.cause)


async def test_a_condition_that_never_holds_ends_at_the_most_turns(theatre: Theatre) -> None:
    team = await theatre.start(
        puppet("ada"), puppet("bob"), termination={"type": "text_mention", "text": "NEVER"}, max_turns=7
    )
    await theatre.ask(team, "go", id="t1")
    view = (await theatre.task(team, "t1")).task
    assert (view.turns, view.stop_reason) == (7, "7 turns were taken, the most there may be")


async def test_a_time_out_and_a_deadline_end_a_task(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", "one", {"silent": True}), termination={"type": "timeout", "after": 0.5})
    reply = await theatre.ask(team, "go", id="t1")
    assert reply.text == "one"
    assert (await theatre.task(team, "t1")).task.stop_reason == "0.5 s went by"
    late = await theatre.start(puppet("ada", {"silent": True}))
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await theatre.ask(late, "go", deadline=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    assert "deadline" in str(failure.value.cause)


async def test_a_task_is_cancelled_or_finished_with_what_there_is(theatre: Theatre) -> None:
    team = await theatre.start(
        puppet("ada"), puppet("bob", {"silent": True}, {"silent": True}), termination={"type": "external"}
    )
    for task in ("t1", "t2"):
        await theatre.send(team, "go", id=task)
    await theatre.until_heard(theatre.child(team, "bob"), 2)
    view = await theatre.update(team, "end_task", {"id": "t1", "how": "finish", "reason": "good enough"})
    assert view["status"] == "done" and view["result"].startswith(f"{team}.ada")
    view = await theatre.update(team, "end_task", {"id": "t2", "reason": "not wanted"})
    assert view["status"] == "cancelled"
    replies = {reply["id"]: reply for reply in await theatre.team(team).query("replies", {"ids": ["t1", "t2"]})}
    assert replies["t1"]["status"] == "done"
    assert replies["t2"]["error"] == "cancelled: not wanted"


async def test_a_hand_off_to_nobody_of_the_team_is_the_result(theatre: Theatre) -> None:
    team = await theatre.start(
        puppet("ada", {"text": "over to you", "handoff": "bob"}),
        puppet("bob", {"text": "ask the user", "handoff": "user"}),
        strategy={"type": "swarm"},
        termination={"type": "handoff", "target": "user"},
    )
    reply = await theatre.ask(team, "go")
    assert (reply.text, reply.handoff) == ("ask the user", "user")


async def test_a_function_of_an_application_ends_a_task(theatre: Theatre) -> None:
    team = await theatre.start(
        puppet("ada"),
        termination={
            "type": "any",
            "of": [{"type": "function", "tool": "stage/count"}, {"type": "max_messages", "count": 9}],
        },
    )
    await theatre.ask(team, "go", id="t1")
    assert (await theatre.task(team, "t1")).task.messages == 3


async def test_a_model_selects_who_speaks(theatre: Theatre) -> None:
    theatre.models.scripts["chooser"] = lambda request: "cyd"
    theatre.models.requests["chooser"] = []
    team = await theatre.start(
        puppet("ada"),
        puppet("bob"),
        puppet("cyd"),
        strategy={"type": "selector", "model": "scripted:chooser", "allow_repeats": True},
        termination={"type": "max_messages", "count": 3},
    )
    await theatre.ask(team, "go", id="t1")
    assert [source for source, _ in await theatre.said(team, "t1")] == ["user", "cyd", "cyd"]
    assert len(theatre.models.requests["chooser"]) == 2


async def test_no_model_is_asked_who_speaks_next_where_no_turn_is_left(theatre: Theatre) -> None:
    theatre.models.scripts["chooser"] = lambda request: "cyd"
    theatre.models.requests["chooser"] = []
    team = await theatre.start(
        *map(puppet, ["ada", "bob", "cyd"]),
        strategy={"type": "selector", "model": "scripted:chooser", "allow_repeats": True},
        termination={"type": "text_mention", "text": "NEVER"},
        max_turns=2,
    )
    await theatre.ask(team, "go", id="t1")
    view = (await theatre.task(team, "t1")).task
    assert (view.turns, view.stop_reason) == (2, "2 turns were taken, the most there may be")
    assert len(theatre.models.requests["chooser"]) == 2


async def test_a_task_says_to_whom_it_is_handed_on(theatre: Theatre) -> None:
    team = await theatre.start(*map(puppet, ["ada", "bob", "cyd"]), strategy={"type": "swarm"})
    parts = [{"type": "data", "name": "handoff", "data": "cyd"}]
    assert (await theatre.ask(team, "go on", id="t1", parts=parts)).text == f"{team}.cyd 1"
    assert (await theatre.task(team, "t1")).lines[0].handoff == "cyd"
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await theatre.ask(team, "go on", parts=[{**parts[0], "data": "zoe"}])
    assert "user handed on to 'zoe', who is no member; there are ada, bob, cyd" in str(failure.value.cause)


async def test_a_broadcast_to_fifty_has_none_missing(theatre: Theatre) -> None:
    members = [puppet(f"m{number}", f"answer {number}") for number in range(50)]
    team = await theatre.start(*members, strategy={"type": "broadcast"})
    reply = await theatre.ask(team, "go", id="t1")
    lost = [text for source, text in await theatre.said(team, "t1") if source == "team"]
    assert not lost
    assert reply.steps == 50
    for number in range(50):
        assert f"answer {number}" in reply.text
    assert not await theatre.failed_tasks(team)


async def test_a_team_is_a_member_of_a_team(theatre: Theatre) -> None:
    inner = {"name": "desk", "team": {"members": [puppet("x", "from x"), puppet("y", "from y")]}}
    team = await theatre.start(puppet("ada", "from ada"), inner)
    reply = await theatre.ask(team, "go", id="t1")
    assert reply.text == "from y"
    (told,) = await theatre.heard(theatre.temporal.get_workflow_handle(f"agent/{team}.desk.x"))
    assert told["waiting"][0] == f"team/{team}#t1" and len(told["waiting"]) == 2
    assert "ada: from ada" in told["text"]
    farewell = await theatre.stop(team)
    assert farewell.tasks_done == 1


async def test_a_paused_team_begins_no_turn(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"hold": True}), puppet("bob"))
    await theatre.send(team, "go", id="t1")
    await theatre.until_heard(theatre.child(team, "ada"))
    await theatre.team(team).signal("pause")
    await theatre.child(team, "ada").signal("let_go")
    await theatre.until(lambda: theatre.task(team, "t1"), lambda report: not report.task.speaking)
    assert (await theatre.status(team)).condition == "paused"
    assert not await theatre.heard(theatre.child(team, "bob"))
    await theatre.team(team).signal("resume")
    await theatre.until_done(team, 1)


async def test_somebody_who_waits_further_out_is_not_asked(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"), puppet("bob"))
    reply = await theatre.ask(team, "go", id="t1", waiting=[f"agent/{team}.ada"])
    assert reply.text == f"{team}.bob 1"
    (note,) = [text for source, text in await theatre.said(team, "t1") if source == "team"]
    assert f"agent/{team}.ada → team/{team}#t1 → agent/{team}.ada" in note
