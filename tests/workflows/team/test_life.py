"""What has to hold however long a team lives, and whatever happens to it."""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus

from engine.theatre import Theatre, puppet

STATE_BYTES = 20 * 1024
TURN_EVENTS = 12
TURN_BYTES = 4 * 1024


async def runs_of_children(theatre: Theatre, team: str, *members: str) -> dict[str, list[str]]:
    """Return the ids of all runs that children ever had, and check that each lives in one of them."""
    found: dict[str, list[str]] = {}
    for member in members:
        handle = theatre.child(team, member)
        described = await handle.describe()
        assert described.status == WorkflowExecutionStatus.RUNNING
        query = f"WorkflowId = '{handle.id}'"
        await theatre.until(lambda query=query: theatre.temporal.count_workflows(query), lambda found: found.count > 0)
        found[member] = [execution.run_id async for execution in theatre.temporal.list_workflows(query)]
        assert described.run_id in found[member]
    return found


async def until_no_orphan(theatre: Theatre, team: str) -> None:
    """Return once nothing lives any more whose name begins with the team's."""
    alive = f"ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH 'agent/{team}.'"
    await theatre.until(lambda: theatre.temporal.count_workflows(alive), lambda found: not found.count)


async def test_a_task_goes_on_over_rollovers(theatre: Theatre) -> None:
    team = await theatre.start(
        puppet("ada"), puppet("bob"), termination={"type": "max_messages", "count": 41}, rollover_events=60
    )
    reply = await theatre.ask(team, "go", id="t1")
    assert reply.text == f"{team}.bob 20"
    status = await theatre.status(team)
    assert status.rollovers >= 2
    assert all(len(runs) == 1 for runs in (await runs_of_children(theatre, team, "ada", "bob")).values())
    heard = await theatre.heard(theatre.child(team, "bob"))
    assert [message["text"] for message in heard[1:]] == [f"ada: {team}.ada {n}" for n in range(2, 21)]
    carried = (await theatre.events(theatre.team(team)))[0].workflow_execution_started_event_attributes.input
    assert len(carried.payloads[0].data) < STATE_BYTES
    assert not await theatre.failed_tasks(team)


async def test_what_came_of_a_task_is_known_after_many_others(theatre: Theatre) -> None:
    long = "x" * 3000
    team = await theatre.start(puppet("ada", *[f"{n} {long}" for n in range(12)]), rollover_events=50)
    for number in range(12):
        assert (await theatre.ask(team, "go", id=f"t{number}")).text.startswith(f"{number} ")
    assert (await theatre.status(team)).rollovers >= 2
    again = await theatre.ask(team, "go", id="t0")
    assert again.text == f"0 {long}"
    view = next(view for view in (await theatre.tasks(team)).tasks if view.id == "t11")
    assert view.status == "done"
    assert (await theatre.tasks(team)).count == 12


async def test_a_turn_costs_the_same_early_and_late(theatre: Theatre) -> None:
    team = await theatre.start(
        puppet("ada"), puppet("bob"), termination={"type": "max_messages", "count": 121}, rollover_events=20_000
    )
    await theatre.ask(team, "go", id="t1")
    events = await theatre.events(theatre.team(team))
    at = [n for n, event in enumerate(events) if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]
    early, late = events[at[10] : at[20]], events[at[100] : at[110]]
    for part in (early, late):
        assert len(part) <= TURN_EVENTS * 10
        assert sum(event.ByteSize() for event in part) <= TURN_BYTES * 10
    # The alarm goes off once in a while, whatever the number of turns; that costs five.
    assert abs(len(early) - len(late)) <= 8
    kinds = {event.event_type for event in events[at[10] :]}
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in kinds


async def test_a_team_that_was_terminated_adopts_its_children(theatre: Theatre) -> None:
    members = [puppet("ada"), puppet("bob")]
    team = await theatre.start(*members)
    await theatre.ask(team, "go", id="t1")
    before = await runs_of_children(theatre, team, "ada", "bob")
    await theatre.team(team).terminate("an accident")
    assert await runs_of_children(theatre, team, "ada", "bob") == before, "they outlive it"
    await theatre.start(*members, name=team)
    assert (await theatre.ask(team, "go", id="t1")).text == f"{team}.bob 2"
    assert await runs_of_children(theatre, team, "ada", "bob") == before, "no second child"
    await theatre.stop(team)
    await until_no_orphan(theatre, team)


async def test_a_team_that_is_reset_in_a_task_ends_it(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"), puppet("bob", {"silent": True}))
    await theatre.send(team, "go", id="t1")
    await theatre.until_heard(theatre.child(team, "bob"))
    before = await runs_of_children(theatre, team, "ada", "bob")
    events = await theatre.events(theatre.team(team))
    completed = [e.event_id for e in events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    await theatre.temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=theatre.temporal.namespace,
            workflow_execution=WorkflowExecution(
                workflow_id=f"team/{team}",
                run_id=events[0].workflow_execution_started_event_attributes.original_execution_run_id,
            ),
            reason="to see what comes of it",
            workflow_task_finish_event_id=completed[1],
            request_id=team,
        ),
        retry=True,
    )
    await theatre.until_done(team, 1)
    assert (await theatre.task(team, "t1")).task.status == "done"
    assert {member.condition for member in (await theatre.status(team)).members} == {"ready"}
    assert await runs_of_children(theatre, team, "ada", "bob") == before, "no second child"
    await theatre.stop(team)
    await until_no_orphan(theatre, team)


async def test_a_child_that_was_lost_after_a_rollover_is_noticed(theatre: Theatre) -> None:
    team = await theatre.start(
        puppet("ada", *["x"] * 20, {"silent": True}),
        puppet("bob"),
        termination={"type": "max_messages", "count": 43},
        rollover_events=60,
    )
    await theatre.send(team, "go", id="t1")
    await theatre.until_heard(theatre.child(team, "ada"), 21)
    assert (await theatre.status(team)).rollovers
    await theatre.child(team, "ada").terminate("an accident")
    # Nobody tells the new run: it looks after ten seconds of silence.
    await theatre.until_done(team, 1)
    texts = [text for source, text in await theatre.said(team, "t1") if source == "team"]
    assert any("does not live any more" in text for text in texts)


async def test_a_stopped_team_answers_for_its_tasks(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"silent": True}), max_tasks=1)
    for number in range(3):
        await theatre.send(team, "go", id=f"t{number}")
    await theatre.until_heard(theatre.child(team, "ada"))
    farewell = await theatre.stop(team)
    assert farewell.unfinished == ["t0", "t1", "t2"]
    assert farewell.reason == "the play is over"
    await theatre.child(team, "ada").result()


async def test_a_team_is_cancelled(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"))
    await theatre.ask(team, "go")
    await theatre.team(team).cancel()
    await theatre.child(team, "ada").result(rpc_timeout=timedelta(seconds=20))


async def test_a_team_that_keeps_losing_a_child_gives_it_up_for_a_while(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", *[{"silent": True}] * 9), puppet("bob"))
    ada = theatre.child(team, "ada")
    for number in range(3):
        await theatre.send(team, "go", id=f"t{number}")
        await theatre.until(lambda: theatre.status(team), lambda status: status.members[0].waiting_for == 1)
        await theatre.kill_in_turn(ada)
        await theatre.until_done(team, number + 1)
    assert (await theatre.status(team)).members[0].condition == "gone"
    reply = await theatre.ask(team, "go", id="last")
    assert await theatre.said(team, "last") == [("user", "go"), ("bob", reply.text)]


async def test_a_nested_team_that_was_terminated_is_started_again_and_adopts_its_children(theatre: Theatre) -> None:
    team = await theatre.start({"name": "desk", "team": {"members": [puppet("x")]}})
    await theatre.ask(team, "go")
    x = theatre.temporal.get_workflow_handle(f"agent/{team}.desk.x")
    before = (await x.describe()).run_id
    await theatre.team(f"{team}.desk").terminate("an accident")
    assert (await theatre.ask(team, "go on")).text.endswith(" 2")
    assert (await x.describe()).run_id == before
    await theatre.stop(team)
    await x.result()
