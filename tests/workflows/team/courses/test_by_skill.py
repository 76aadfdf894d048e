from __future__ import annotations

from aos.strategy import BySkill
from aos_workflows.team.course import Card
from courses.stage import Stage, asked, end, failure, speakers


def skilled(*cards: Card, skill: str = "law") -> Stage:
    stage = Stage(BySkill(skill=skill))
    stage.cards = list(cards)
    return stage


ADA = Card("ada", skills=("law", "tax"), load=3)
BOB = Card("bob", skills=("Law",), load=1)
CID = Card("cid", skills=("tax",), load=0)


def test_the_one_with_the_skill_and_least_to_do_does_it() -> None:
    stage = skilled(ADA, BOB, CID)
    assert speakers(stage.begin()) == ["bob"]
    assert end(stage.says("bob")).reason == "bob did it"


def test_among_equals_the_first_in_the_roster_does_it() -> None:
    assert speakers(skilled(Card("dan", skills=("law",), load=1), BOB).begin()) == ["dan"]


def test_what_the_task_needs_goes_before_what_the_strategy_names() -> None:
    stage = Stage(BySkill(skill="law"), skill="tax")
    stage.cards = [ADA, BOB, CID]
    assert speakers(stage.begin()) == ["cid"]


def test_without_a_skill_anybody_does_it() -> None:
    assert speakers(skilled(ADA, BOB, CID, skill="").begin()) == ["cid"]


def test_who_is_lost_is_passed_over_for_the_next_and_then_for_an_agent_outside() -> None:
    stage = skilled(ADA, BOB, CID)
    stage.begin()
    assert speakers(stage.loses("bob", "it died")) == ["ada"]
    consult = asked(stage.loses("ada", "it took too long"))
    assert (consult.kind, consult.skill) == ("agents", "law")
    assert speakers(stage.answers(output=["agent/eve", "bare", 7, "agent/fay"])) == ["agent/eve"]
    assert speakers(stage.loses("agent/eve", "it died too")) == ["agent/fay"]
    assert "agent/fay did it" in end(stage.says("agent/fay")).reason


def test_where_nobody_is_left_it_fails_with_all_reasons() -> None:
    stage = skilled(BOB)
    stage.begin()
    stage.loses("bob", "it died")
    stage.answers(output=["agent/eve"])
    reason = failure(stage.loses("agent/eve", "no answer"))
    assert "nobody else has the skill 'law'" in reason
    assert "bob: it died" in reason and "agent/eve: no answer" in reason


def test_where_nobody_has_the_skill_it_says_so() -> None:
    stage = skilled(CID)
    asked(stage.begin())
    assert "nobody has the skill 'law'" in failure(stage.answers(output=[]))
    stage = skilled(CID)
    stage.begin()
    assert "visibility is down" in failure(stage.answers(error="visibility is down"))


def test_one_that_joins_takes_up_what_another_could_not_do() -> None:
    stage = skilled(BOB)
    stage.begin()
    stage.joins("dan", skills=("law",))
    assert speakers(stage.loses("bob")) == ["dan"]


def test_who_is_gone_is_not_asked() -> None:
    assert speakers(skilled(ADA, Card("bob", skills=("law",), gone=True)).begin()) == ["ada"]


def test_an_empty_team_that_needs_no_skill_fails() -> None:
    assert "no members" in failure(skilled(skill="").begin())
    stage = skilled(CID, skill="")
    stage.begin()
    assert "cid: it died" in failure(stage.loses("cid"))
