from __future__ import annotations

from aos.strategy import RoundRobin
from courses.stage import Stage, end, failure, speakers


def endless(*names: str) -> Stage:
    return Stage(RoundRobin(), *names, natural=False)


def test_each_speaks_in_the_order_of_the_roster_over_and_over() -> None:
    stage = endless("ada", "bob", "cid")
    said = speakers(stage.begin())
    for _ in range(6):
        said += speakers(stage.says(said[-1]))
    assert said == ["ada", "bob", "cid", "ada", "bob", "cid", "ada"]


def test_without_a_termination_a_task_ends_after_a_round() -> None:
    stage = Stage(RoundRobin(), "ada", "bob")
    stage.begin()
    assert speakers(stage.says("ada")) == ["bob"]
    assert end(stage.says("bob")).reason == "each member has spoken once"


def test_one_that_joins_in_a_round_has_its_turn_in_it() -> None:
    stage = Stage(RoundRobin(), "ada", "bob")
    stage.begin()
    stage.says("ada")
    stage.joins("cid")
    assert speakers(stage.says("bob")) == ["cid"]
    end(stage.says("cid"))


def test_who_says_that_the_task_is_done_ends_it_where_nothing_else_does() -> None:
    stage = Stage(RoundRobin(), "ada", "bob")
    stage.begin()
    assert "ada" in end(stage.says("ada", stop=True)).reason
    stage = endless("ada", "bob")
    stage.begin()
    assert speakers(stage.says("ada", stop=True)) == ["bob"]


def test_nobody_is_left_out_when_the_one_who_spoke_last_leaves() -> None:
    for leaver, following in (("ada", "bob"), ("bob", "cid"), ("cid", "ada")):
        stage = endless("ada", "bob", "cid")
        move = stage.begin()
        while speakers(move) != [leaver]:
            move = stage.says(speakers(move)[0])
        stage.leaves(leaver)
        assert speakers(stage.loses(leaver, "it left")) == [following]


def test_the_place_in_the_round_is_kept_when_those_before_it_leave() -> None:
    stage = endless("ada", "bob", "cid", "dan")
    stage.begin()
    stage.says("ada")
    stage.says("bob")
    stage.leaves("ada")
    stage.leaves("bob")
    assert speakers(stage.says("cid")) == ["dan"]


def test_one_that_comes_when_the_last_leaves_is_next() -> None:
    stage = endless("ada", "bob")
    stage.begin()
    stage.says("ada")
    stage.leaves("bob")
    stage.joins("cid")
    assert speakers(stage.loses("bob")) == ["cid"]


def test_who_is_gone_is_skipped_and_who_is_lost_is_asked_again_in_the_next_round() -> None:
    stage = endless("ada", "bob", "cid")
    stage.dies("bob")
    stage.begin()
    assert speakers(stage.says("ada")) == ["cid"]
    assert speakers(stage.loses("cid")) == ["ada"]
    assert speakers(stage.says("ada")) == ["cid"]


def test_a_team_in_which_nobody_can_speak_fails_with_the_reasons() -> None:
    stage = endless("ada", "bob")
    stage.begin()
    stage.loses("ada", "it died")
    reason = failure(stage.loses("bob", "it took too long"))
    assert "ada: it died" in reason and "bob: it took too long" in reason


def test_a_team_without_members_fails() -> None:
    assert "no members" in failure(endless().begin())
    stage = endless("ada")
    stage.begin()
    stage.leaves("ada")
    assert "no members" in failure(stage.loses("ada"))


def test_a_round_of_which_all_but_one_are_lost_ends_and_says_so() -> None:
    stage = Stage(RoundRobin(), "ada", "bob")
    stage.begin()
    stage.says("ada")
    assert "bob: it died" in end(stage.loses("bob")).reason
