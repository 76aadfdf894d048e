from __future__ import annotations

import pytest

from aos.strategy import Selector
from aos_workflows.team.courses.selector import mentions
from aos_workflows.team.courses.thread import THREAD_CHARS
from courses.stage import Stage, asked, end, failure, speakers


def stage_of(*names: str, natural: bool = False, **fields: object) -> Stage:
    return Stage(Selector.model_validate(fields), *names, natural=natural)


def test_the_model_is_told_of_roles_participants_and_history_and_its_choice_speaks() -> None:
    stage = stage_of("ada", "bob", "cid", model="openai:gpt-4o-mini")
    consult = asked(stage.begin("Write a letter."))
    assert consult.kind == "model"
    assert consult.models == ("openai:gpt-4o-mini",)
    for told in ("ada: does ada's work", "ada, bob, cid", "user: Write a letter."):
        assert told in consult.prompt
    assert speakers(stage.answers("I choose bob.")) == ["bob"]
    consult = asked(stage.says("bob", "Here it is."))
    assert "bob: Here it is." in consult.prompt
    assert "ada, cid" in consult.prompt, "who has just spoken may not be chosen"


def test_a_prompt_of_ones_own_is_filled_in_one_pass() -> None:
    stage = stage_of("ada", "bob", prompt='{"who": "{participants}"} {history}; {roles} {other}')
    consult = asked(stage.begin("a {roles} b"))
    roles = "ada: does ada's work\nbob: does bob's work"
    assert consult.prompt == '{"who": "ada, bob"} user: a {roles} b; ' + roles + " {other}"


@pytest.mark.parametrize(
    ("answer", "objection"),
    [("somebody", "none of them"), ("ada or cid", "ada, cid"), ("bob", "bob has just spoken")],
)
def test_an_answer_that_is_no_choice_is_objected_to(answer: str, objection: str) -> None:
    stage = stage_of("ada", "bob", "cid")
    stage.begin()
    stage.answers("bob")
    stage.says("bob")
    consult = asked(stage.answers(answer))
    assert objection in consult.prompt and f"You answered: {answer}" in consult.prompt
    assert speakers(stage.answers("cid")) == ["cid"]
    assert objection not in asked(stage.says("cid")).prompt, "the next choice begins anew"


def test_after_all_attempts_the_first_begins_and_later_the_previous_goes_on() -> None:
    stage = stage_of("ada", "bob", "cid", attempts=2)
    stage.begin()
    asked(stage.answers("?"))
    assert speakers(stage.answers("?")) == ["ada"]
    stage.says("ada")
    asked(stage.answers("?"))
    assert speakers(stage.answers("ada")) == ["ada"], "even the one who may not be chosen"


def test_with_repeats_who_spoke_last_may_be_chosen() -> None:
    stage = stage_of("ada", "bob", allow_repeats=True)
    stage.begin()
    stage.answers("bob")
    asked(stage.says("bob"))
    assert speakers(stage.answers("bob")) == ["bob"]


def test_no_model_is_asked_where_there_is_no_choice() -> None:
    assert speakers(stage_of("ada").begin()) == ["ada"]
    stage = stage_of("ada", "bob")
    stage.begin()
    stage.answers("ada")
    assert speakers(stage.says("ada")) == ["bob"]


def test_a_function_chooses_and_where_it_does_not_the_model_does() -> None:
    stage = stage_of("ada", "bob", "cid", function="desk/next")
    consult = asked(stage.begin("Go."))
    assert (consult.kind, consult.tool) == ("function", "desk/next")
    assert consult.arguments == {
        "messages": [{"source": "user", "text": "Go."}],
        "participants": ["ada", "bob", "cid"],
    }
    assert speakers(stage.answers(output="cid")) == ["cid"]
    asked(stage.says("cid"))
    assert asked(stage.answers(output=None)).kind == "model"
    assert speakers(stage.answers("ada")) == ["ada"]


def test_a_function_may_choose_who_spoke_last() -> None:
    stage = stage_of("ada", "bob", function="desk/next")
    stage.begin()
    stage.answers("ada")
    stage.says("ada")
    assert speakers(stage.answers("ada")) == ["ada"]


def test_a_function_that_names_a_stranger_or_fails_ends_the_task() -> None:
    stage = stage_of("ada", "bob", function="desk/next")
    stage.begin()
    reason = failure(stage.answers("zoe"))
    assert "desk/next" in reason and "'zoe'" in reason and "ada, bob" in reason
    stage = stage_of("ada", "bob", function="desk/next")
    stage.begin()
    assert "boom" in failure(stage.answers(error="boom"))


def test_a_function_that_names_one_who_has_died_leaves_the_choice_to_the_model() -> None:
    stage = stage_of("ada", "bob", "cid", function="desk/next")
    stage.begin()
    stage.dies("bob")
    assert asked(stage.answers("bob")).kind == "model"


def test_candidates_are_whom_the_model_chooses_among() -> None:
    stage = stage_of("ada", "bob", "cid", candidates="desk/fit")
    assert asked(stage.begin()).tool == "desk/fit"
    assert "[ada, cid]" in asked(stage.answers(output=["ada", "cid"])).prompt
    assert "bob cannot speak now" in asked(stage.answers("bob")).prompt
    assert speakers(stage.answers("cid")) == ["cid"]
    asked(stage.says("cid"))
    assert speakers(stage.answers(output=["bob"])) == ["bob"]


@pytest.mark.parametrize("output", [[], None, "ada", ["ada", "zoe"], [1]])
def test_candidates_that_are_none_end_the_task(output: object) -> None:
    stage = stage_of("ada", "bob", candidates="desk/fit")
    stage.begin()
    assert "desk/fit" in failure(stage.answers(output=output))  # pyright: ignore[reportArgumentType] - any JSON


def test_a_model_that_fails_ends_the_task() -> None:
    stage = stage_of("ada", "bob")
    stage.begin()
    assert "refused" in failure(stage.answers(error="the key was refused"))


def test_who_was_lost_is_not_chosen_again_until_somebody_has_spoken() -> None:
    stage = stage_of("ada", "bob", "cid")
    stage.begin()
    stage.answers("ada")
    consult = asked(stage.loses("ada"))
    assert "[bob, cid]" in consult.prompt
    assert "ada cannot speak now" in asked(stage.answers("ada")).prompt
    stage.answers("bob")
    assert "[ada, cid]" in asked(stage.says("bob")).prompt
    stage.answers("ada")
    stage.loses("ada")
    stage.loses("cid")
    assert "no member can speak" in failure(stage.loses("bob"))


def test_one_who_leaves_while_the_model_thinks_is_not_asked() -> None:
    stage = stage_of("ada", "bob", "cid", attempts=1)
    stage.begin()
    stage.leaves("bob")
    assert speakers(stage.answers("bob")) == ["ada"]


def test_without_a_termination_there_are_as_many_turns_as_members() -> None:
    stage = stage_of("ada", "bob", natural=True)
    stage.begin()
    stage.answers("ada")
    assert speakers(stage.says("ada")) == ["bob"]
    assert "as many turns" in end(stage.says("bob")).reason


def test_the_prompt_does_not_grow_with_the_task() -> None:
    stage = stage_of("ada", "bob", allow_repeats=True)
    prompt = asked(stage.begin("THE TASK")).prompt
    for turn in range(60):
        stage.answers("ada")
        prompt = asked(stage.says("ada", f"turn {turn} " + "x" * 1000)).prompt
    assert len(prompt) < THREAD_CHARS + 2_000
    assert "THE TASK" in prompt and "turn 59" in prompt and "turn 3 " not in prompt and "left out" in prompt


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("story_writer", True),
        ("Story writer: story writer", True),
        (r"story\_writer!", True),
        ("**story_writer**", True),
        ("story_writers", False),
        ("my_story_writer", False),
        ("Story_Writer", False),
        ("", False),
    ],
)
def test_a_name_is_mentioned_as_a_word_of_its_own(text: str, found: bool) -> None:
    assert mentions(text, "story_writer") is found
