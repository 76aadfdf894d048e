"""Members that come, go and are replaced while the team works."""

from __future__ import annotations

from engine.theatre import Theatre, puppet


async def test_a_member_is_added_while_a_task_runs(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"hold": True}))
    await theatre.send(team, "go", id="t1")
    await theatre.until_heard(theatre.child(team, "ada"))
    spec = await theatre.update(team, "change_members", {"add": [puppet("bob", "from bob", role="helps")]})
    assert [member["name"] for member in spec["members"]] == ["ada", "bob"]
    assert spec["members"][1]["agent"]["name"] == f"{team}.bob"
    await theatre.child(team, "ada").signal("let_go")
    await theatre.until_done(team, 1)
    report = await theatre.task(team, "t1")
    assert report.result == "from bob"
    assert ("team", "the team has changed: bob joined, as helps") in await theatre.said(team, "t1")


async def test_who_is_removed_is_not_waited_for_and_stopped(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"hold": True}), puppet("bob", "from bob"))
    await theatre.send(team, "go", id="t1")
    ada = theatre.child(team, "ada")
    await theatre.until_heard(ada)
    await theatre.update(team, "change_members", {"remove": ["ada"]})
    await theatre.until_done(team, 1)
    assert (await theatre.task(team, "t1")).result == "from bob"
    await ada.result()
    assert [member.name for member in (await theatre.status(team)).members] == ["bob"]


async def test_who_is_removed_may_live_on(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"), puppet("bob"))
    await theatre.ask(team, "go")
    await theatre.update(team, "change_members", {"remove": ["ada"], "keep": True})
    farewell = await theatre.stop(team)
    assert farewell.left_alive == [f"agent/{team}.ada"]
    assert await theatre.heard(theatre.child(team, "ada"))
    await theatre.child(team, "ada").terminate("the test is over")
    await theatre.child(team, "bob").result()


async def test_who_replaces_somebody_is_asked_what_that_one_was(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"hold": True}, role="counts"), puppet("bob"))
    await theatre.send(team, "go", id="t1")
    await theatre.until_heard(theatre.child(team, "ada"))
    spec = await theatre.update(team, "change_members", {"replace": [puppet("ada", "from the new ada")]})
    assert spec["members"][0]["agent"]["name"] == f"{team}.ada.2"
    assert spec["members"][0]["role"] == "counts"
    await theatre.until_done(team, 1)
    assert ("ada", "from the new ada") in await theatre.said(team, "t1")
    await theatre.child(team, "ada").result()


async def test_members_that_live_already_are_asked_and_left_alone(theatre: Theatre) -> None:
    name = theatre.name()
    address = await theatre.start_puppet(name, "from outside")
    team = await theatre.start({"name": "guest", "address": name})
    assert (await theatre.ask(team, "go")).text == "from outside"
    farewell = await theatre.stop(team)
    assert farewell.left_alive == []
    assert await theatre.heard(theatre.temporal.get_workflow_handle(address))


async def test_a_member_that_does_not_live_is_passed_over_at_once(theatre: Theatre) -> None:
    team = await theatre.start({"name": "ghost", "address": theatre.name()}, puppet("bob"))
    reply = await theatre.ask(team, "go", id="t1")
    assert reply.text == f"{team}.bob 1"
    assert ("team", "ghost could not speak: it does not live any more") in await theatre.said(team, "t1")
    ghost = (await theatre.status(team)).members[0]
    assert ghost.condition == "gone"


async def test_a_child_that_dies_in_its_turn_does_not_stop_the_task_and_is_started_again(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"silent": True}), puppet("bob"))
    await theatre.send(team, "go", id="t1")
    ada = theatre.child(team, "ada")
    await theatre.until_heard(ada)
    await ada.terminate("an accident")
    await theatre.until_done(team, 1)
    assert (await theatre.task(team, "t1")).result == f"{team}.bob 1"
    # Its script begins anew with its life: it is silent once more, and then speaks.
    await theatre.send(team, "go on", id="t2")
    await theatre.until_heard(ada)
    await theatre.update(team, "end_task", {"id": "t2"})
    assert (await theatre.ask(team, "and on", id="t3")).status == "done"
    assert ("ada", f"{team}.ada 2") in await theatre.said(team, "t3")


async def test_a_child_that_died_between_its_turns_is_started_again_for_the_next(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada"))
    await theatre.ask(team, "go")
    await theatre.child(team, "ada").terminate("an accident")
    assert (await theatre.ask(team, "go on")).text == f"{team}.ada 1"


async def test_a_new_role_is_told(theatre: Theatre) -> None:
    team = await theatre.start(puppet("ada", {"hold": True}), puppet("bob"))
    await theatre.send(team, "go", id="t1")
    await theatre.until_heard(theatre.child(team, "ada"))
    await theatre.update(team, "change_members", {"roles": {"bob": "doubts"}})
    await theatre.child(team, "ada").signal("let_go")
    (told,) = await theatre.until_heard(theatre.child(team, "bob"))
    assert "Your role: doubts" in told["text"]
