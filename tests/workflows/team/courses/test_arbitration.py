from __future__ import annotations

import pytest
from pydantic import JsonValue

from aos.strategy import Arbiter
from aos_workflows.team.course import Answer, Said
from aos_workflows.team.courses.arbitration import Arbitration
from aos_workflows.team.courses.merging import Claim, most_given


def contradiction(by: str = "model", **fields: str) -> Arbitration:
    claims = [Claim(text="nine", sources=["ada"]), Claim(text="ten", sources=["bob", "cid"]), Claim(text="noon")]
    return Arbitration(arbiter=Arbiter.model_validate({"by": by, **fields}), task="When?", claims=claims)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("3", 3),
        ("Number 1, because of the tide.", 1),
        ("**2**: at ten", 2),
        ("#3.", 3),
        ("answer2", 0),
        ("2.5 of them", 0),
        ("7", 0),
        ("0", 0),
        ("none", 0),
        ("99999999999", 0),
    ],
)
def test_a_judge_names_an_answer_by_its_number(text: str, chosen: int) -> None:
    ruling = contradiction("member", member="jo").judged(Said(source="jo", text=text))
    assert (ruling.chosen, ruling.by) == ((chosen, "jo") if chosen else (2, "count"))


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("", {"number": 3, "reason": "r"}),
        ("", {"number": "3"}),
        ("", 3),
        ('So: {"number": 3, "reason": "r"}', None),
        ("3, since it says so", None),
    ],
)
def test_a_model_is_understood_however_it_says_it(text: str, output: JsonValue) -> None:
    ruling = contradiction().consulted(Answer(text=text, output=output))
    assert ruling is not None and ruling.chosen == 3


@pytest.mark.parametrize("output", [True, 1.5, [], {}, {"number": None}, "x"])
def test_a_function_that_rules_nothing_leaves_it_to_the_count(output: JsonValue) -> None:
    ruling = contradiction("rule", function="desk/rule").consulted(Answer(output=output))
    assert ruling is not None and (ruling.chosen, ruling.by) == (2, "count")
    assert "2 gave it" in ruling.reason


def test_a_tie_of_votes_goes_to_the_answer_that_more_had_given() -> None:
    case = contradiction("vote")
    case.vote(Said(source="ada", text="1"))
    case.vote(Said(source="bob", text="2"))
    assert case.counted().chosen == 2


def test_of_answers_that_equally_many_gave_the_first_counts() -> None:
    assert most_given([Claim(text="a", sources=["x"]), Claim(text="b", sources=["y"])]) == 1
