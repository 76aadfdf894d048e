from __future__ import annotations

from aos.strategy import Swarm
from courses.stage import Stage, end, failure, speakers, told


def swarm(*names: str) -> Stage:
    return Stage(Swarm(), *names, natural=False)


def test_the_first_begins_and_goes_on_until_it_hands_on() -> None:
    stage = swarm("ada", "bob", "cid")
    assert speakers(stage.begin()) == ["ada"]
    assert speakers(stage.says("ada")) == ["ada"]
    assert speakers(stage.says("ada", handoff="cid")) == ["cid"]
    assert speakers(stage.says("cid")) == ["cid"]
    assert speakers(stage.says("cid", handoff="ada")) == ["ada"]


def test_a_task_that_is_handed_on_goes_on_with_whom_it_names() -> None:
    stage = swarm("ada", "bob")
    assert speakers(stage.begin(handoff="bob")) == ["bob"]
    assert "'zoe'" in failure(swarm("ada", "bob").begin(handoff="zoe"))


def test_handing_on_to_a_stranger_ends_the_task_and_names_who_there_is() -> None:
    stage = swarm("ada", "bob")
    stage.begin()
    reason = failure(stage.says("ada", handoff="user"))
    assert "ada" in reason and "'user'" in reason and "ada, bob" in reason


def test_handing_on_to_one_who_has_left_is_said_to_who_did_so() -> None:
    stage = swarm("ada", "bob", "cid")
    stage.begin()
    stage.leaves("bob")
    move = stage.says("ada", handoff="bob")
    assert speakers(move) == ["ada"] and "bob" in told(move)
    stage.dies("cid")
    move = stage.says("ada", handoff="cid")
    assert speakers(move) == ["ada"] and "cid" in told(move)


def test_the_task_comes_back_from_one_who_was_lost() -> None:
    stage = swarm("ada", "bob", "cid")
    stage.begin()
    stage.says("ada", handoff="bob")
    stage.says("bob", handoff="cid")
    move = stage.loses("cid", "it died")
    assert speakers(move) == ["bob"] and "cid cannot speak: it died" in told(move)
    assert speakers(stage.loses("bob")) == ["ada"]
    assert "no member can speak" in failure(stage.loses("ada"))


def test_when_the_first_is_lost_the_next_in_the_roster_begins() -> None:
    stage = swarm("ada", "bob")
    stage.begin()
    assert speakers(stage.loses("ada")) == ["bob"]


def test_without_a_termination_it_ends_when_nobody_is_handed_on_to() -> None:
    stage = Stage(Swarm(), "ada", "bob")
    stage.begin()
    assert speakers(stage.says("ada", handoff="bob")) == ["bob"]
    assert "bob handed on to nobody" in end(stage.says("bob")).reason
    stage = Stage(Swarm(), "ada", "bob")
    stage.begin()
    assert "user, outside of the team" in end(stage.says("ada", handoff="user")).reason


def test_an_empty_swarm_fails() -> None:
    assert "no members" in failure(swarm().begin())
