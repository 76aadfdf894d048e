"""Some of the cases as real teams, on a real server: they come to what they come to in AutoGen."""

from __future__ import annotations

from typing import Any

import pytest

from aos_workflows.team.course import USER
from autogen.cases import CASES, TASK, Case
from autogen.play import strategy_of, termination_of
from engine.scripts import in_order
from engine.theatre import Theatre, puppet

pytestmark = pytest.mark.timeout(400)

PLAYED = [
    "round robin of three",
    "round robin until turns are used up",
    "text mention by one",
    "stop message",
    "tokens in total",
    "function call",
    "both at different times",
    "selector asks again where several are named",
    "selector falls back on who spoke last",
    "swarm in a ring",
    "swarm hands on to the user",
    "graph that parts and joins",
    "graph that leads back until it is right",
    "graph of a loop that parts and joins in it",
    "planner that plans anew",
]

WORDS = {
    "max_messages": "messages were said",
    "max_turns": "turns were taken",
    "text_mention": "mentioned",
    "stop_message": "said that the task is done",
    "token_usage": "tokens were used",
    "function_call": "called",
    "handoff": "handed on to",
    "through": "",
}


def answer_of(reply: dict[str, Any]) -> dict[str, Any]:
    """Return what a puppet answers."""
    tokens = reply.get("tokens", [0, 0])
    called = [*reply.get("called", []), *(["finish"] if reply.get("stop") else [])]
    usage = {"input_tokens": tokens[0], "output_tokens": tokens[1]}
    return {"text": reply["text"], "handoff": reply.get("handoff", ""), "called": called, "usage": usage}


async def played(theatre: Theatre, case: Case) -> tuple[list[tuple[str, str]], str, str]:
    """Return who said what in a case, its result, and why it ended."""
    name = theatre.name()
    strategy = strategy_of(case).model_dump(mode="json")
    if "model" in case:
        theatre.models.scripts[name] = in_order(*case["model"])
        strategy["model"] = [f"scripted:{name}"]
    end = termination_of(case)
    turns = {"max_turns": case["max_turns"]} if "max_turns" in case else {}
    await theatre.start(
        *(puppet(member, *map(answer_of, replies)) for member, replies in case["replies"].items()),
        name=name,
        strategy=strategy,
        termination=end and end.model_dump(mode="json"),
        **turns,
    )
    reply = await theatre.ask(name, TASK, id="t1")
    report = await theatre.task(name, "t1")
    assert not await theatre.failed_tasks(name)
    lines = [(line.source, line.text) for line in report.lines if line.source in case["replies"]]
    assert report.lines[0].source == USER
    return lines, reply.text, report.task.stop_reason


@pytest.mark.parametrize("name", PLAYED)
async def test_a_team_on_a_server_does_what_autogen_does(name: str, theatre: Theatre, autogen: dict[str, Any]) -> None:
    case, theirs = CASES[name], autogen[name]
    lines, result, reason = await played(theatre, case)
    by_turn = list(zip(theirs["speakers"], theirs["texts"], strict=True))
    if case["strategy"]["type"] == "graph":
        # Those who speak side by side are heard in whichever order.
        assert sorted(lines) == sorted(by_turn)
    else:
        assert lines == by_turn
    assert result == (theirs["result"] or (lines[-1][1] if lines else TASK))
    for type_ in theirs["stop"]:
        assert WORDS[type_] in reason
