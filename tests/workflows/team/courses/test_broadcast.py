from __future__ import annotations

import random
from typing import Any

import pytest
from pydantic import ValidationError

from aos.strategy import Arbiter, Broadcast
from aos.team_spec import TeamSpec
from aos_workflows.team.course import Move, Said, Speak
from courses.stage import Stage, asked, end, failure, speakers, told


def broadcast(*names: str, purpose: str = "", **fields: Any) -> Stage:
    return Stage(Broadcast.model_validate(fields), *(names or ("ada", "bob", "cid")), purpose=purpose)


def answered(stage: Stage, **answers: str) -> Move | None:
    move: Move | None = stage.begin()
    for name, text in answers.items():
        move = stage.says(name, text)
    return move


def test_all_speak_at_once_and_their_answers_stand_in_the_order_of_the_roster() -> None:
    stage = broadcast()
    assert speakers(stage.begin()) == ["ada", "bob", "cid"]
    assert stage.says("cid", "3") is None
    assert stage.says("ada", "1") is None
    finish = end(stage.says("bob", "2"))
    assert finish.text == "ada: 1\n\nbob: 2\n\ncid: 3"
    assert finish.reason == "3 answered"


def test_it_goes_on_without_who_is_lost_and_says_so() -> None:
    stage = broadcast()
    stage.begin()
    stage.says("ada", "1")
    stage.loses("bob", "it died")
    finish = end(stage.says("cid", "3"))
    assert finish.text == "ada: 1\n\ncid: 3" and "bob (it died)" in finish.reason


def test_it_fails_where_nobody_answers() -> None:
    stage = broadcast("ada", "bob")
    stage.begin()
    stage.loses("ada", "it died")
    reason = failure(stage.loses("bob", "it took too long"))
    assert "ada: it died" in reason and "bob: it took too long" in reason
    empty = broadcast("ada")
    empty.leaves("ada")
    assert "no members" in failure(empty.begin())


def test_one_that_joins_is_asked_too_and_by_itself() -> None:
    stage = broadcast("ada", "bob")
    stage.begin("Count the boats.")
    stage.joins("cid")
    move = stage.says("ada", "1")
    assert isinstance(move, Speak) and move.members == ("cid",)
    assert move.alone and move.told == "Count the boats."
    assert stage.says("bob", "2") is None
    end(stage.says("cid", "3"))


def test_one_in_the_place_of_somebody_who_has_answered_is_asked_when_all_have() -> None:
    stage = broadcast("ada", "bob")
    stage.begin()
    assert stage.says("ada", "1") is None
    stage.leaves("ada")
    stage.joins("cid")
    assert speakers(stage.says("bob", "2")) == ["cid"]
    end(stage.says("cid", "3"))


def test_the_first_answer_is_enough_where_the_first_is_wanted() -> None:
    stage = broadcast(merge="first")
    stage.begin()
    assert stage.loses("ada") is None
    assert "cid answered first" in end(stage.says("cid", "3")).reason


def test_the_answer_that_most_gave_wins_the_vote() -> None:
    finish = end(answered(broadcast(merge="vote"), cid="Yes", bob="no", ada=" yes "))
    assert finish.text == " yes " and "2 of 3" in finish.reason


def test_among_equals_the_vote_does_not_depend_on_who_came_first() -> None:
    names = ["ada", "bob", "cid", "dan"]
    for _ in range(5):
        random.shuffle(names)
        stage = broadcast("ada", "bob", "cid", "dan", merge="vote")
        stage.begin()
        move: Move | None = None
        for name in names:
            move = stage.says(name, "yes" if name in ("bob", "dan") else "no")
        assert end(move).text == "no", "ada's, who is first in the roster"


def test_a_member_merges_what_the_others_said() -> None:
    stage = broadcast(merge="member", merger="cid")
    assert speakers(stage.begin()) == ["ada", "bob"]
    stage.says("ada", "1")
    move = stage.says("bob", "2")
    assert speakers(move) == ["cid"] and "one answer" in told(move)
    assert "cid merged 2 answers" in end(stage.says("cid", "1 and 2")).reason


def test_without_its_merger_the_answers_stand_below_each_other() -> None:
    stage = broadcast(merge="member", merger="cid")
    stage.begin()
    stage.says("ada", "1")
    stage.says("bob", "2")
    finish = end(stage.loses("cid", "it died"))
    assert finish.text == "ada: 1\n\nbob: 2" and "cid could not merge" in finish.reason
    stage = broadcast(merge="member", merger="cid")
    stage.begin()
    stage.says("ada", "1")
    stage.dies("cid")
    assert end(stage.says("bob", "2")).text == "ada: 1\n\nbob: 2"


def test_a_merger_that_is_left_alone_works_itself_unless_there_is_an_answer() -> None:
    stage = broadcast("cid", merge="member", merger="cid")
    assert speakers(stage.begin()) == ["cid"]
    stage = broadcast("ada", "bob", "cid", merge="member", merger="cid")
    stage.begin()
    stage.says("ada", "1")
    stage.leaves("ada")
    stage.leaves("bob")
    assert "one answer" in told(stage.loses("bob"))


def test_answers_that_agree_need_no_ruling() -> None:
    finish = end(answered(broadcast(merge="arbitrate"), ada="Yes.", bob="yes.", cid="YES."))
    assert finish.text == "Yes." and "all 3" in finish.reason


def test_a_model_settles_a_contradiction_by_the_teams_purpose() -> None:
    stage = broadcast(merge="arbitrate", purpose="Never be late.", arbiter={"model": "openai:gpt-4o"})
    consult = asked(answered(stage, ada="at nine", bob="at ten", cid="At  nine"))
    assert consult.models == ("openai:gpt-4o",)
    assert "Never be late." in consult.prompt
    assert "1. (ada, cid) at nine" in consult.prompt and "2. (bob) at ten" in consult.prompt
    finish = end(stage.answers('{"number": 2, "reason": "the timetable says so"}'))
    assert finish.text == "at ten" and "the timetable says so" in finish.reason
    rulings = stage.course.ledger()["rulings"]
    assert isinstance(rulings, list) and len(rulings) == 1
    ruling = rulings[0]
    assert isinstance(ruling, dict)
    assert (ruling["chosen"], ruling["by"], ruling["reason"]) == (2, "a model", "the timetable says so")
    assert ruling["claims"] == [
        {"text": "at nine", "sources": ["ada", "cid"]},
        {"text": "at ten", "sources": ["bob"]},
    ]


def test_a_model_that_gives_no_ruling_is_asked_again_and_then_the_answers_are_counted() -> None:
    stage = broadcast(merge="arbitrate")
    answered(stage, ada="no", bob="yes", cid="yes")
    assert "numbers 1 to 2" in asked(stage.answers("7")).prompt
    asked(stage.answers(output={"number": 0}))
    finish = end(stage.answers("well"))
    assert finish.text == "yes" and "2 gave it" in finish.reason
    stage = broadcast(merge="arbitrate")
    answered(stage, ada="no", bob="yes", cid="yes")
    finish = end(stage.answers(error="the key was refused"))
    assert finish.text == "yes" and "the key was refused" in finish.reason


def test_a_function_rules() -> None:
    stage = broadcast(merge="arbitrate", purpose="P", arbiter={"by": "rule", "function": "desk/rule"})
    consult = asked(answered(stage, ada="1", bob="2", cid="2"))
    assert (consult.kind, consult.tool) == ("function", "desk/rule")
    assert consult.arguments == {
        "task": "Do it.",
        "purpose": "P",
        "answers": [
            {"number": 1, "text": "1", "sources": ["ada"]},
            {"number": 2, "text": "2", "sources": ["bob", "cid"]},
        ],
    }
    assert end(stage.answers(output=1)).text == "1"


def test_the_members_vote_on_what_they_said() -> None:
    stage = broadcast(merge="arbitrate", arbiter={"by": "vote"})
    move = answered(stage, ada="at nine", bob="at ten", cid="at noon")
    assert speakers(move) == ["ada", "bob", "cid"]
    assert isinstance(move, Speak) and move.alone and "2. (bob) at ten" in move.told
    assert stage.says("ada", "2, the timetable says so") is None
    assert stage.says("bob", "I say 2.") is None
    finish = end(stage.says("cid", "3"))
    assert finish.text == "at ten" and "2 of 3 voted for it" in finish.reason


def test_a_vote_counts_those_who_can_vote() -> None:
    stage = broadcast(merge="arbitrate", arbiter={"by": "vote"})
    answered(stage, ada="at nine", bob="at ten", cid="at noon")
    stage.says("ada", "none of them")
    stage.loses("bob")
    assert end(stage.says("cid", "3")).text == "at noon"
    stage = broadcast(merge="arbitrate", arbiter={"by": "vote"})
    answered(stage, ada="at nine", bob="at ten", cid="at ten")
    for name in ("ada", "bob"):
        stage.loses(name)
    assert "nobody voted" in end(stage.loses("cid")).reason


def test_a_member_judges() -> None:
    stage = broadcast("ada", "bob", "jo", merge="arbitrate", arbiter={"by": "member", "member": "jo"})
    assert speakers(stage.begin()) == ["ada", "bob"]
    stage.says("ada", "at nine")
    move = stage.says("bob", "at ten")
    assert speakers(move) == ["jo"] and "1. (ada) at nine" in told(move)
    finish = end(stage.says("jo", "2. Because of the tide."))
    assert finish.text == "at ten" and "settled by jo: 2. Because of the tide." in finish.reason


def test_where_the_judge_is_lost_or_gone_the_answers_are_counted() -> None:
    for happens in ("loses", "dies"):
        stage = broadcast("ada", "bob", "jo", merge="arbitrate", arbiter={"by": "member", "member": "jo"})
        stage.begin()
        stage.says("ada", "at nine")
        if happens == "dies":
            stage.dies("jo")
        move = stage.says("bob", "at ten")
        if happens == "loses":
            move = stage.loses("jo", "it died")
        finish = end(move)
        assert finish.text == "at nine" and "jo" in finish.reason


def test_long_answers_that_begin_alike_are_told_apart() -> None:
    stage = broadcast("ada", "bob", merge="arbitrate")
    asked(answered(stage, ada="x" * 300_000 + "1", bob="x" * 300_000 + "2"))


def test_answers_of_a_thousand_fit_into_the_state() -> None:
    names = [f"m{number}" for number in range(1000)]
    stage = Stage(Broadcast(), *names)
    stage.begin()
    move: Move | None = None
    for name in names:
        move = stage.course.heard(Said(source=name, text="y" * 10_000), stage.cards)
    text = end(move).text or ""
    assert all(f"{name}: " in text for name in names)
    assert len(stage.course.model_dump_json()) < 500_000


@pytest.mark.parametrize(
    "fields",
    [
        {"by": "rule"},
        {"by": "member"},
        {"by": "vote", "member": "ada"},
        {"by": "vote", "model": "offline"},
        {"by": "model", "function": "desk/rule"},
    ],
)
def test_an_arbiter_that_does_not_fit_together_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Arbiter.model_validate(fields)


def test_an_arbiter_without_arbitration_is_refused() -> None:
    with pytest.raises(ValidationError, match="merge: arbitrate"):
        Broadcast(merge="vote", arbiter=Arbiter())


def test_a_team_whose_arbiter_is_no_member_is_refused() -> None:
    strategy = {"type": "broadcast", "merge": "arbitrate", "arbiter": {"by": "member", "member": "zoe"}}
    with pytest.raises(ValidationError, match="arbiter names 'zoe', which is no member"):
        TeamSpec.model_validate({"name": "t", "members": [{"name": "ada", "address": "ada"}], "strategy": strategy})
