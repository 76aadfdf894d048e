"""The same scripted replies come to the same in AutoGen and in AOS."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from aos.compat.autogen import LeftOut, load_autogen
from aos.strategy import Graph, Planner, Selector, Strategy
from aos.team_spec import TeamSpec
from aos.termination import AllOf, AnyOf, Termination, TextMention
from autogen.cases import CASES, Case
from autogen.play import Play, strategy_of, termination_of

pytestmark = pytest.mark.timeout(400)


def has_code(case: Case) -> bool:
    """Whether a case is made of code of its own in AutoGen, which it cannot write down."""
    replies = [reply for replies in case["replies"].values() for reply in replies]
    own_agents = any(reply.keys() & {"stop", "after", "outside"} for reply in replies)
    return own_agents or "function" in types_of(case.get("end"))


def types_of(end: dict[str, Any] | None) -> list[str]:
    """Return the types of the conditions in a termination."""
    if end is None:
        return []
    return [end["type"], *(leaf for part in end.get("of", []) for leaf in types_of(part))]


EQUAL = [name for name, case in CASES.items() if "aos" not in case]
OTHERWISE = [name for name, case in CASES.items() if "aos" in case]
DATA = [name for name, case in CASES.items() if not has_code(case)]
IN_PARTS = ("speakers", "texts", "kinds")


def in_order(case: Case, outcome: dict[str, Any]) -> dict[str, Any]:
    """Return what can be compared; those who speak first in whichever order are put in one."""
    first = case.get("any_order", 0)
    lines = list(zip(*(outcome[part] for part in IN_PARTS), strict=True))
    lines = sorted(lines[:first]) + lines[first:]
    return {"lines": lines, "stop": outcome["stop"], "result": outcome["result"]}


@pytest.mark.parametrize("name", EQUAL)
def test_speakers_messages_and_reasons_are_the_same(name: str, autogen: dict[str, Any]) -> None:
    case = CASES[name]
    assert in_order(case, Play(case).to_the_end()) == in_order(case, autogen[name])


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_aos_does_otherwise_is_what_it_says(name: str, autogen: dict[str, Any]) -> None:
    case = CASES[name]
    mine = Play(case).to_the_end()
    assert {part: mine[part] for part in case["aos"]} == case["aos"], case["why"]
    theirs = {part: autogen[name][part] for part in case["aos"]}
    assert theirs != case["aos"], f"AutoGen does the same: {case['why']} is not so"


@pytest.mark.parametrize("name", DATA)
def test_what_autogen_writes_of_a_team_is_loaded_as_what_it_is(name: str, autogen: dict[str, Any]) -> None:
    case, component = CASES[name], autogen[name]["component"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeftOut)
        loaded = load_autogen(component, tools={"look": "look"}, models={"*": "offline"})
    assert isinstance(loaded, TeamSpec)
    assert TeamSpec.model_validate_json(loaded.model_dump_json()) == loaded
    assert [*case["replies"]] == [member.name for member in loaded.members]
    assert written(loaded.strategy) == written(strategy_of(case))
    assert noted(loaded.termination) == noted(termination_of(case))
    if case.get("max_turns"):
        assert loaded.max_turns == case["max_turns"]


def written(strategy: Strategy) -> Strategy:
    """Return what AutoGen writes down of a strategy: no function, and the edges of a graph by where they begin."""
    match strategy:
        case Graph():
            return strategy.model_copy(
                update={"edges": sorted(strategy.edges, key=lambda edge: edge.model_dump_json())}
            )
        case Selector():
            return strategy.model_copy(update={"function": "", "candidates": "", "prompt": "", "model": []})
        case Planner():
            return strategy.model_copy(update={"model": [], "max_plans": 1})
        case _:
            return strategy


def noted(termination: Termination | None) -> Termination | None:
    """Return what AutoGen writes down of a termination: not who a text must be from."""
    match termination:
        case AnyOf(of=of) | AllOf(of=of):
            return termination.model_copy(update={"of": [noted(part) for part in of]})
        case TextMention():
            return termination.model_copy(update={"sources": []})
        case _:
            return termination


def test_every_strategy_and_condition_is_compared() -> None:
    conditions = {leaf for case in CASES.values() for leaf in types_of(case.get("end"))}
    assert {case["strategy"]["type"] for case in CASES.values()} >= {
        "round_robin", "selector", "swarm", "graph", "planner",
    }  # fmt: skip
    assert conditions >= {
        "max_messages", "text_mention", "text_message", "stop_message", "token_usage", "timeout", "handoff", "external",
        "source", "function_call", "function", "any", "all",
    }  # fmt: skip
