from __future__ import annotations

import json
from typing import Any

import pytest

from aos.strategy import Planner
from courses.stage import Stage, asked, end, failure, speakers, told


def progress(next_speaker: str = "ada", *, done: bool = False, moves: bool = True, loop: bool = False) -> str:
    ledger: dict[str, Any] = {
        "is_request_satisfied": {"reason": "all is there", "answer": done},
        "is_in_loop": {"reason": "r", "answer": loop},
        "is_progress_being_made": {"reason": "r", "answer": moves},
        "next_speaker": {"reason": "r", "answer": next_speaker},
        "instruction_or_question": {"reason": "r", "answer": f"Go on, {next_speaker}."},
    }
    return json.dumps(ledger)


def planned(*names: str, max_turns: int = 0, purpose: str = "", **fields: Any) -> Stage:
    """Return a task whose first plan is made, so that the progress is asked for."""
    stage = Stage(Planner.model_validate(fields), *(names or ("ada", "bob")), purpose=purpose, max_turns=max_turns)
    stage.begin("Find the harbour.")
    stage.answers("FACTS ONE")
    stage.answers("PLAN ONE")
    return stage


def test_it_asks_for_facts_then_a_plan_then_the_progress() -> None:
    stage = Stage(Planner(model=["openai:gpt-4o"]), "ada", "bob", purpose="Be brief.")
    consult = asked(stage.begin("Find the harbour."))
    assert consult.models == ("openai:gpt-4o",)
    assert "Find the harbour." in consult.prompt and "Be brief." in consult.prompt
    prompt = asked(stage.answers("FACTS ONE")).prompt
    assert "FACTS ONE" in prompt and "bob: does bob's work" in prompt
    consult = asked(stage.answers("PLAN ONE"))
    assert "PLAN ONE" in consult.prompt and "FACTS ONE" in consult.prompt
    assert consult.schema is not None
    assert consult.schema["properties"]["next_speaker"]["properties"]["answer"]["enum"] == ["ada", "bob"]


def test_the_next_speaker_is_told_what_to_do_and_the_plan_once() -> None:
    stage = planned()
    move = stage.answers(progress("bob"))
    assert speakers(move) == ["bob"]
    assert told(move).endswith("Go on, bob.") and "PLAN ONE" in told(move)
    assert "bob: I looked." in asked(stage.says("bob", "I looked.")).prompt
    assert told(stage.answers(output=json.loads(progress("bob")))) == "Go on, bob."
    stage.says("bob")
    assert "PLAN ONE" in told(stage.answers(progress("ada")))


def test_when_the_task_is_done_the_model_writes_the_answer() -> None:
    stage = planned()
    stage.answers(progress())
    stage.says("ada", "It is in the north.")
    prompt = asked(stage.answers(progress(done=True))).prompt
    assert "It is in the north." in prompt and "The task is done." in prompt
    finish = end(stage.answers("In the north."))
    assert (finish.text, finish.reason) == ("In the north.", "all is there")


def test_it_plans_anew_after_so_many_turns_without_progress() -> None:
    stage = planned(max_stalls=2)
    stage.answers(progress(moves=False))
    stage.says("ada", "Nothing.")
    prompt = asked(stage.answers(progress(loop=True))).prompt
    assert "does not get on" in prompt and "ada: Nothing." in prompt and "FACTS ONE" in prompt
    prompt = asked(stage.answers("FACTS TWO")).prompt
    assert "FACTS TWO" in prompt and "PLAN ONE" in prompt
    prompt = asked(stage.answers("PLAN TWO")).prompt
    assert "PLAN TWO" in prompt and "ada: Nothing." not in prompt
    assert speakers(stage.answers(progress(moves=False))) == ["ada"], "stalls are counted from the new plan"


def test_progress_makes_up_for_a_stall() -> None:
    stage = planned(max_stalls=2)
    for moves in (False, True, False, True, False):
        assert speakers(stage.answers(progress(moves=moves))) == ["ada"]
        stage.says("ada")
    assert "does not get on" in asked(stage.answers(progress(moves=False))).prompt


def test_after_the_last_plan_it_gives_up_with_what_there_is() -> None:
    stage = planned(max_stalls=1, max_plans=2)
    stage.answers(progress(moves=False))
    stage.answers("FACTS TWO")
    stage.answers("PLAN TWO")
    assert "could not be brought to its end" in asked(stage.answers(progress(moves=False))).prompt
    finish = end(stage.answers("Found nothing."))
    assert finish.reason == "given up: 2 plans did not lead to the end"
    assert finish.text == "Found nothing."


def test_after_the_last_turn_it_writes_the_answer() -> None:
    stage = planned(max_turns=1)
    stage.answers(progress())
    assert "there were 1 turns" in asked(stage.says("ada", "Half of it.")).prompt
    assert end(stage.answers("Half of it.")).reason == "given up: there were 1 turns"


def test_it_plans_anew_without_who_was_lost() -> None:
    stage = planned()
    stage.answers(progress("ada"))
    prompt = asked(stage.loses("ada", "it died")).prompt
    assert "ada could not speak: it died" in prompt
    stage.answers("FACTS TWO")
    consult = asked(stage.answers("PLAN TWO"))
    assert "bob: does bob's work" in consult.prompt and "ada: does ada's work" not in consult.prompt
    assert speakers(stage.answers(progress("ada"))) == ["bob"], "the only one there is"


def test_without_anybody_it_fails() -> None:
    stage = planned()
    stage.answers(progress("ada"))
    stage.leaves("bob")
    assert "no member can speak" in failure(stage.loses("ada"))
    assert "no members" in failure(Stage(Planner()).begin())


@pytest.mark.parametrize(
    ("answer", "objection"),
    [
        ("I think ada.", "one JSON object is needed"),
        ("[1, 2]", "one JSON object is needed"),
        ("{}", "is_request_satisfied is missing"),
        (progress("zoe"), "must be one of ada, bob"),
        (progress().replace("false", '"no"'), "must be true or false"),
        (progress().replace('"Go on, ada."', "7"), "must have a text"),
        ("{" * 5000, "one JSON object is needed"),
    ],
)
def test_a_progress_ledger_that_cannot_be_read_is_objected_to(answer: str, objection: str) -> None:
    stage = planned()
    assert objection in asked(stage.answers(answer)).prompt
    assert speakers(stage.answers(f"Here you are:\n```json\n{progress('bob')}\n```")) == ["bob"]
    assert objection not in asked(stage.says("bob")).prompt


def test_a_model_that_never_writes_a_ledger_fails_the_task() -> None:
    stage = planned()
    move, tries = stage.answers("?"), 1
    while tries < 20 and not getattr(move, "reason", ""):
        move, tries = stage.answers("?"), tries + 1
    assert tries == 5
    assert "no progress ledger in 5 tries" in failure(move)


def test_a_lone_member_is_always_next() -> None:
    assert speakers(planned("ada").answers(progress("somebody"))) == ["ada"]


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_a_model_that_fails_ends_the_task(answered: int) -> None:
    stage = Stage(Planner(), "ada")
    stage.begin()
    for _ in range(answered):
        stage.answers("well")
    assert "the key was refused" in failure(stage.answers(error="the key was refused"))


def test_the_ledger_shows_facts_plan_and_progress() -> None:
    stage = planned()
    stage.answers(progress("bob", moves=False))
    ledger = stage.course.ledger()
    assert ledger["facts"] == "FACTS ONE" and ledger["plan"] == "PLAN ONE"
    assert ledger["plans"] == 1 and ledger["stalls"] == 1
    assert isinstance(ledger["progress"], dict) and ledger["progress"]["next_speaker"] == "bob"
