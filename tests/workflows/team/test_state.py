"""What a team carries over rollovers, and what it lets go of."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter

from aos.message import Message, Reply
from aos.strategy import Strategy
from aos.team_control import RosterChanges
from aos.team_spec import TeamSpec
from aos_workflows.outbox import Outgoing
from aos_workflows.team.briefing import NEWS_BYTES, YOUR_TURN, brief
from aos_workflows.team.cards import Cards
from aos_workflows.team.course import USER, Consult, Finish, Said
from aos_workflows.team.courses import course_for
from aos_workflows.team.ending import Ending
from aos_workflows.team.roster import changed_roster
from aos_workflows.team.state import (
    DEATHS,
    RETRY_GONE,
    SCHEMA_VERSION,
    Standing,
    TeamState,
    UnknownTeamSchema,
    dump_team,
    load_team,
)
from aos_workflows.team.task import SHOWN, Arrived, Asked, Question, Task, task_node

SPEC = TeamSpec.model_validate(
    {
        "name": "news",
        "purpose": "know the ships",
        "members": [{"name": "ada", "address": "ada", "role": "writes"}, {"name": "bob", "address": "bob"}],
        "termination": {"type": "any", "of": [{"type": "max_messages", "count": 9}, {"type": "timeout", "after": 5}]},
    }
)
STRATEGIES = [
    {"type": "round_robin"},
    {"type": "selector"},
    {"type": "swarm"},
    {"type": "graph", "edges": [{"source": "ada", "target": "bob"}]},
    {"type": "planner"},
    {"type": "broadcast", "merge": "arbitrate"},
    {"type": "by_skill", "skill": "prose"},
]


def a_task(strategy: dict[str, object] | None = None) -> Task:
    made = TypeAdapter[Strategy](Strategy).validate_python(strategy or STRATEGIES[0])
    return Task(
        message=Message(text="count the ships", id="t1"),
        node="team/news#t1",
        began=1.0,
        course=course_for(made, natural=False, purpose="know the ships"),
        ending=Ending.of(SPEC.termination),
    )


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: str(strategy["type"]))
def test_everything_crosses_a_rollover(strategy: dict[str, object]) -> None:
    task = a_task(strategy)
    said = Said(source=USER, text="count the ships", at=1.0)
    task.add(said, said.text)
    task.note("ada could not speak: no ink", 2.0)
    assert task.course is not None
    cards = Cards(TeamState(spec=SPEC, life="l", started=0)).now(1.0)
    task.course.begin(said, cards)
    task.ending.look([said], 1.0)
    task.asks["ada"] = Asked(id="m1", to="agent/ada", due=9, look=3, pause=10, told="hurry")
    task.arrived.append(Arrived(member="bob", said=Said(source="bob", text="two"), output={"ships": 2}))
    task.consult = Question(number=1, consult=Consult("model", ("m",), prompt="who?", schema={"type": "object"}))
    task.questions = [Question(number=2, consult=Consult("function", tool="a/b", arguments={"x": [1]}), again=True)]
    task.pending, task.closing = said, Finish("enough", text="x", failed=True)
    state = TeamState(spec=SPEC, life="l", started=0, ready=True, tasks={"t1": task})
    state.standing["ada"] = Standing(condition="gone", gone_since=5.0, deaths=1)
    state.mailbox.offer(Message(text="later", id="t2"), 1.0)
    state.outbox.put("agent/ada", "send", {"id": "m1"})
    state.held.append(Outgoing(to="agent/bob", signal="send", body={"id": "m2"}))
    state.replies.keep(Reply(id="t0", status="done", text="done"))
    crossed = load_team(json.loads(json.dumps(dump_team(state))))
    assert crossed == state
    assert type(crossed.tasks["t1"].course) is type(task.course)


def test_a_state_of_a_later_version_is_refused() -> None:
    state = dump_team(TeamState(spec=SPEC, life="l", started=0))
    with pytest.raises(UnknownTeamSchema, match="newer AOS"):
        load_team({**state, "schema_version": SCHEMA_VERSION + 1})


def test_who_is_asked_first_is_told_of_the_team_and_later_only_news() -> None:
    task, (ada, bob) = a_task(), SPEC.members
    task.add(Said(source=USER), "count the ships")
    text, _ = brief(SPEC, task, ada, "", alone=False)
    assert text.startswith("You are ada in the team news. Your role: writes")
    assert "know the ships" in text and "With you in it: bob" in text and text.endswith("user: count the ships")
    task.told["ada"] = task.count
    task.add(Said(source="ada"), "seven")
    assert brief(SPEC, task, ada, "", alone=False)[0] == YOUR_TURN
    task.add(Said(source="bob", ref="0" * 48), "x" * 4096)
    text, (part,) = brief(SPEC, task, ada, "hurry", alone=False)
    assert text.startswith("bob: xxx") and "[the whole text is attached]" in text and text.endswith("hurry")
    assert part.type == "blob" and part.ref == "0" * 48
    assert "seven" in brief(SPEC, task, bob, "", alone=False)[0]
    assert brief(SPEC, task, ada, "judge", alone=True) == ("judge", [])


def test_what_a_member_is_told_is_bounded() -> None:
    task = a_task()
    for number in range(200):
        task.add(Said(source="bob"), f"{number} " + "x" * 4000)
    text, _ = brief(SPEC, task, SPEC.members[0], "", alone=False)
    assert len(text) < NEWS_BYTES + 10_000
    assert "199 x" in text


def test_lines_that_all_were_told_go_into_the_store_and_the_newest_stay() -> None:
    task = a_task()
    for number in range(100):
        task.add(Said(source="cyd"), f"line {number}")
    task.told = {"ada": 90, "bob": 95}
    surplus = task.surplus(["ada", "bob"], 64 * 1024)
    assert len(surplus) == 100 - SHOWN
    task.set_aside("page", surplus)
    assert (task.first, task.older, task.count) == (80, "page", 100)
    assert [line.text for line in task.news_for("ada")] == [f"line {number}" for number in range(90, 100)]
    assert task.missing_for("ada") == 0


def test_lines_beyond_the_limit_go_too_and_are_said_to_be_missing() -> None:
    task = a_task()
    for number in range(100):
        task.add(Said(source=USER), f"line {number} " + "x" * 1000)
    task.told = {"ada": 1}
    surplus = task.surplus(["ada"], 10_000)
    task.set_aside("page", surplus)
    assert 5 <= len(task.lines) <= 10
    text, _ = brief(SPEC, task, SPEC.members[0], "", alone=False)
    assert text.startswith(f"({task.first - 1} earlier messages are left out here)")
    assert [line.text[:7] for line in task.news_for("ada")][-1] == "line 99"


def test_a_node_always_fits_into_a_message() -> None:
    assert task_node("news", "7") == "team/news#7"
    assert len(task_node("n" * 100, "7" * 200)) <= 200


def test_cards_follow_the_roster_and_how_members_stand() -> None:
    state = TeamState(spec=SPEC, life="l", started=0)
    cards = Cards(state)
    assert [(card.name, card.role, card.load, card.gone) for card in cards.now(1.0)] == [
        ("ada", "writes", 0, False),
        ("bob", "", 0, False),
    ]
    state.standing["ada"] = Standing(condition="gone", gone_since=1.0, load=2)
    assert [(card.load, card.gone) for card in cards.now(2.0)] == [(2, True), (0, False)]
    assert not cards.now(1.0 + RETRY_GONE)[0].gone
    state.spec = changed_roster(SPEC, RosterChanges(roles={"bob": "checks"}), []).spec
    assert cards.now(2.0)[1].role == "checks"
    child = {"name": "cyd", "agent": {"skills": ["prose"]}}
    state.spec = TeamSpec.model_validate({"name": "news", "members": [child]})
    state.standing["cyd"] = Standing(condition="gone", gone_since=2.0, deaths=DEATHS - 1)
    assert [(card.skills, card.gone) for card in cards.now(2.0)] == [(("prose",), False)]
    state.standing["cyd"].deaths = DEATHS
    assert cards.now(2.0)[0].gone
