"""Waits that go through teams: circles are refused or broken by name, and no wait is longer than its deadline."""

from __future__ import annotations

import asyncio

import pytest

from aos.message import Message
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls, last_text
from engine.engine import Engine
from engine.scripts import Held, Script
from engine.talkers import results

HELPED = "helped"


def asking(team: str, *, helps: bool = True, **fields: object) -> Script:
    """Ask a team for help, and say what came of it; help whoever asks for it, or ask the team for that too."""

    def script(request: ModelRequest) -> ModelResponse | str:
        if found := results(request):
            return " | ".join(item.text for item in found)
        wanted = {"to": f"team/{team}", "text": "help", **fields}
        return HELPED if helps and last_text(request).endswith("help") else calls(("ask", wanted))

    return script


async def until_at_rest(engine: Engine, *agents: str) -> None:
    """Return once agents wait for nobody and have nothing to do, with no dead letter."""
    for agent in agents:
        status = await engine.until(lambda agent=agent: engine.client.status(agent), lambda s: s.condition == "waiting")
        assert (status.waits_for, status.dead_letters) == ([], 0)


async def test_a_question_by_which_a_chain_through_two_teams_would_close_is_refused_with_the_circle_named(
    engine: Engine,
) -> None:
    north, south = engine.name(), engine.name()
    ada = engine.member("ada", asking(south), tools=["ask"])
    bob = engine.member("bob", asking(north, helps=False), tools=["ask"])
    await engine.start_team(ada, name=north)
    await engine.start_team(bob, name=south)
    reply = await engine.client.ask(f"team/{north}", "go")
    names = [f"agent/{member['agent']['name']}" for member in (ada, bob)]
    assert "it waits for this task itself" in reply.text
    circle = reply.text.partition("it waits for this task itself: ")[2].split(" → ")
    assert [node.partition("#")[0] for node in circle] == [
        names[0], f"team/{south}", names[1], f"team/{north}", names[0],
    ]  # fmt: skip
    await until_at_rest(engine, ada["agent"]["name"], bob["agent"]["name"])


@pytest.mark.parametrize("max_tasks", [20, 1])
async def test_of_two_teams_that_wait_for_each_other_the_one_of_the_less_important_purpose_gives_way(
    engine: Engine, max_tasks: int
) -> None:
    north, south = engine.name(), engine.name()
    held = Held(asking(south), on="go"), Held(asking(north), on="go")
    ada, bob = engine.member("ada", held[0], tools=["ask"]), engine.member("bob", held[1], tools=["ask"])
    await engine.start_team(ada, name=north, priority=1, max_tasks=max_tasks)
    await engine.start_team(bob, name=south, priority=5, max_tasks=max_tasks)
    # With one place for tasks, what is asked waits for it; with more, it waits for who is busy with asking.
    # Were it not for their purposes, the younger wait would be given up: that of the other team.
    asked = [asyncio.create_task(engine.client.ask(f"team/{team}", "go")) for team in (north, south)]
    for one in held:
        await one.reached.wait()
    held[1].let_go()
    await engine.until(lambda: engine.client.status(bob["agent"]["name"]), lambda status: bool(status.waits_for))
    held[0].let_go()
    async with asyncio.timeout(30):
        of_north, of_south = [reply.text for reply in await asyncio.gather(*asked)]
    assert of_north == HELPED
    assert "given up: all wait for each other" in of_south
    names = [member["agent"]["name"] for member in (ada, bob)]
    assert all(f"{node} → " in of_south for node in (f"agent/{names[0]}", f"agent/{names[1]}"))
    assert all(f"team/{team}#" in of_south for team in (north, south))
    await until_at_rest(engine, *names)
    for team in (north, south):
        assert (await engine.client.teams.status(team)).dead_letters == 0


async def test_a_question_to_a_team_whose_deadline_passes_is_given_up_and_the_teams_task_with_it(
    engine: Engine,
) -> None:
    held = Held()
    bob = engine.member("bob", held)
    team = await engine.start_team(bob)
    await engine.until(lambda: engine.client.teams.status(team), lambda status: status.members[0].condition == "ready")
    ada = await engine.start(asking(team, deadline_seconds=2), tools=["ask"])
    # Whichever of the two is the first to notice.
    mine, theirs = "gave no answer within 2 s", "gave no answer: its deadline has passed"
    assert await engine.ask(ada, "go") in (f"team/{team} {mine}", f"team/{team} {theirs}")
    tasks = await engine.until(lambda: engine.client.teams.tasks(team), lambda all_: all_.tasks[0].status != "working")
    (view,) = tasks.tasks
    assert (view.status, view.stop_reason) == ("failed", "its deadline has passed")
    held.let_go()
    await until_at_rest(engine, ada, bob["agent"]["name"])


async def test_a_task_that_one_under_way_waits_for_takes_no_place_of_its_own(engine: Engine) -> None:
    team = engine.name()
    ada = engine.member("ada", asking(team), tools=["ask"])
    bob = engine.member("bob", lambda request: f"asked for help: {'help' in last_text(request)}")
    await engine.start_team(ada, bob, name=team, max_tasks=1)
    # The team is asked by its own member, for whose answer its only place is taken.
    await engine.client.ask(f"team/{team}", Message(text="go", id="t1"))
    lines = (await engine.client.teams.task(team, "t1")).lines
    assert [line.source for line in lines] == ["user", "ada", "bob"]
    assert lines[1].text == "asked for help: True"
    assert [view.status for view in (await engine.client.teams.tasks(team)).tasks] == ["done", "done"]
