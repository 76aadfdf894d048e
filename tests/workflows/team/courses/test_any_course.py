"""What holds of every strategy, whatever happens, in whatever order."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from aos.strategy import Arbiter, Broadcast, BySkill, Edge, Graph, Planner, RoundRobin, Selector, Strategy, Swarm
from aos_workflows.team.course import Answer, Card, Consult, Finish, Move, Said, Speak
from aos_workflows.team.courses import AnyCourse, course_for
from courses.stage import COURSE, crossed

NAMES = ["ada", "bob", "cid", "dan", "eve"]
STRANGER = "zoe"
MOST_MESSAGES = 12
MOST_EVENTS = 400
ROSTER_CHANGES = 12

names = st.sampled_from(NAMES)
conditions = st.sampled_from(["", "", "yes", "no", "tool:desk/good"])
edges = st.builds(Edge, source=names, target=names, condition=conditions, group=st.sampled_from(["", "g"]))
arbiters = st.sampled_from(
    [
        None,
        Arbiter(by="model"),
        Arbiter(by="vote"),
        Arbiter(by="rule", function="desk/rule"),
        Arbiter(by="member", member="ada"),
    ]
)
merges = st.sampled_from(
    [
        Broadcast(merge="list"),
        Broadcast(merge="vote"),
        Broadcast(merge="first"),
        Broadcast(merge="member", merger="bob"),
    ]
)
STRATEGIES: dict[str, st.SearchStrategy[Strategy]] = {
    "round_robin": st.just(RoundRobin()),
    "selector": st.builds(
        Selector,
        function=st.sampled_from(["", "desk/next"]),
        candidates=st.sampled_from(["", "desk/fit"]),
        allow_repeats=st.booleans(),
        attempts=st.integers(1, 3),
    ),
    "swarm": st.just(Swarm()),
    "graph": st.builds(
        Graph,
        edges=st.lists(edges, max_size=10),
        start=st.lists(names | st.just(STRANGER), max_size=2),
    ),
    "any_graph": st.builds(
        Graph,
        edges=st.lists(edges, max_size=10).map(lambda all_: [each.model_copy(update={"when": "any"}) for each in all_]),
    ),
    "planner": st.builds(Planner, max_stalls=st.integers(1, 3), max_plans=st.integers(1, 3)),
    "broadcast": merges | st.builds(Broadcast, merge=st.just("arbitrate"), arbiter=arbiters),
    "by_skill": st.sampled_from([BySkill(), BySkill(skill="law")]),
}

targets = st.sampled_from(["", "", *NAMES, STRANGER])
messages = st.builds(
    Said, source=st.just(""), text=st.sampled_from(["yes", "no", "1", "2", ""]), handoff=targets, stop=st.booleans()
)


def progress(done: bool, moves: bool, who: str) -> str:
    answers: dict[str, Any] = {
        "is_request_satisfied": done,
        "is_in_loop": False,
        "is_progress_being_made": moves,
        "next_speaker": who,
        "instruction_or_question": "go on",
    }
    return json.dumps({name: {"reason": "", "answer": answer} for name, answer in answers.items()})


ledgers = st.builds(progress, st.booleans(), st.booleans(), st.sampled_from([*NAMES, STRANGER]))
texts = st.one_of(names, ledgers, st.sampled_from(["", STRANGER, "ada or bob", "true", "1", "{", "null"]))
outputs: st.SearchStrategy[JsonValue] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    names,
    st.lists(names | st.sampled_from(["agent/kay", "agent/lou"]), max_size=3),
    st.just({"number": 1, "reason": "r"}),
)
answers = st.builds(Answer, text=texts, output=outputs, error=st.sampled_from(["", "", "", "", "it broke"]))


class World:
    """A team's workflow with nothing in it but what a course may rely on."""

    def __init__(self, course: AnyCourse, cards: list[Card]) -> None:
        self.course = course
        self.cards = cards
        self.speaking: list[str] = []
        self.consulting = False
        self.heard = 0
        self.finish: Finish | None = None

    def tell(self, event: str, *arguments: Any) -> None:
        """Tell the course of an event, and do the move that it answers, after having checked it."""
        twin = crossed(self.course)
        move: Move | None = getattr(self.course, event)(*arguments, self.cards)
        assert getattr(twin, event)(*arguments, self.cards) == move, "a rollover changed what comes next"
        assert twin == self.course
        assert crossed(self.course) == self.course, "the state does not survive a rollover"
        json.dumps(self.course.ledger())
        self._do(move)

    def _do(self, move: Move | None) -> None:
        match move:
            case None:
                assert self.speaking or self.consulting, "nothing is waited for: the task hangs"
            case Finish():
                self.finish = move
                assert move.reason
            case Consult():
                assert not self.consulting, "one consultation at a time"
                self.consulting = True
            case Speak(members=members):
                here = {card.name for card in self.cards if not card.gone}
                assert members and len(set(members)) == len(members)
                assert {name for name in members if "/" not in name} <= here, "it asks one that is gone"
                assert not set(members) & set(self.speaking), "it asks one that still speaks"
                self.speaking += members

    def change(self, data: st.DataObject, new: int) -> None:
        """Change the roster. Who leaves or dies while it speaks is lost."""
        kind = data.draw(st.sampled_from(["join", "leave", "die", "load"]))
        if kind == "join" or not self.cards:
            place = data.draw(st.integers(0, len(self.cards)))
            self.cards.insert(place, Card(f"new{new}", skills=("law",)))
            return
        card = data.draw(st.sampled_from(self.cards))
        at = self.cards.index(card)
        if kind == "load":
            self.cards[at] = replace(card, load=data.draw(st.integers(0, 5)))
            return
        if kind == "die":
            self.cards[at] = replace(card, gone=True)
        else:
            del self.cards[at]
        if card.name in self.speaking:
            self.speaking.remove(card.name)
            self.tell("lost", card.name, "it left")


def play(strategy: Strategy, data: st.DataObject) -> World:
    count = data.draw(st.integers(0, len(NAMES)))
    cards = [Card(name, role="r", skills=("law",) if number % 2 else ()) for number, name in enumerate(NAMES[:count])]
    course = course_for(strategy, natural=data.draw(st.booleans()), max_turns=data.draw(st.sampled_from([0, 5])))
    world = World(course, cards)
    world.tell("begin", Said(source="user", text="Do it.", handoff=data.draw(targets)))
    changes = 0
    for _ in range(MOST_EVENTS):
        if world.finish or world.heard >= MOST_MESSAGES:
            return world
        happens = ["spoken"] * 3 * bool(world.speaking) + ["lost"] * bool(world.speaking)
        happens += ["consulted"] * 3 * world.consulting + ["roster"] * (changes < ROSTER_CHANGES)
        match data.draw(st.sampled_from(happens)):
            case "spoken":
                name = data.draw(st.sampled_from(world.speaking))
                world.speaking.remove(name)
                world.heard += 1
                world.tell("heard", data.draw(messages).model_copy(update={"source": name}))
            case "lost":
                name = data.draw(st.sampled_from(world.speaking))
                world.speaking.remove(name)
                world.tell("lost", name, "it died")
            case "consulted":
                world.consulting = False
                world.tell("consulted", data.draw(answers))
            case _:
                changes += 1
                world.change(data, changes)
    raise AssertionError(f"no end after {MOST_EVENTS} events and {world.heard} messages")


@pytest.mark.parametrize("kind", STRATEGIES)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_whatever_happens_a_course_goes_on_or_ends(kind: str, data: st.DataObject) -> None:
    play(data.draw(STRATEGIES[kind]), data)


@pytest.mark.parametrize("kind", STRATEGIES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_where_everybody_is_lost_every_course_fails(kind: str, data: st.DataObject) -> None:
    strategy = data.draw(STRATEGIES[kind])
    world = World(course_for(strategy, natural=False), [Card(name, skills=("law",)) for name in NAMES])
    world.tell("begin", Said(source="user", text="Do it."))
    for _ in range(MOST_EVENTS):
        if world.finish:
            break
        if world.consulting:
            world.consulting = False
            world.tell("consulted", data.draw(answers))
        else:
            world.tell("lost", world.speaking.pop(0), "it died")
    assert world.finish and world.finish.reason
    assert world.finish.failed or isinstance(strategy, Planner | Graph)


def test_a_course_is_told_apart_by_its_type() -> None:
    for strategy in (RoundRobin(), Selector(), Swarm(), Graph(edges=[]), Planner(), Broadcast(), BySkill()):
        course = course_for(strategy, natural=True)
        assert course.type == strategy.type
        assert COURSE.validate_python({**json.loads(COURSE.dump_json(course))}) == course
