"""The wait graph: nobody hangs, and nothing is refused that is no cycle."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from random import Random
from typing import Generic, TypeVar

import pytest

from aos_workflows.waits import Break, Edge, Probe, Told, Wait, Waits, address_of, closes, victim

T = TypeVar("T")

CASES = 10_000
LARGE = 20
"""How many of them have 200 nodes."""


@dataclass
class Question:
    """A message whose sender waits for its answer, and what a judge above the network knows of it."""

    id: str
    sender: str
    to: str
    chain: list[str]
    since: float
    priority: int
    gone: float = float("inf")
    """When it was answered, or given up by who waits."""


@dataclass
class Agent:
    name: str
    waits: Waits = field(default_factory=Waits)
    mail: deque[Question | None] = field(default_factory=deque[Question | None])
    """None is a message that nobody waits for."""
    doing: Question | None = None
    busy: bool = False

    def owes(self, message_id: str) -> bool:
        held = [self.doing, *self.mail]
        return any(question is not None and question.id == message_id for question in held)


class Pool(Generic[T]):
    """What chance draws from, each equally likely, in a time that does not grow with how much there is."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.items: list[T] = []
        self.places: dict[T, int] = {}

    def keep(self, item: T, *, there: bool) -> None:
        """Have `item` in the pool, or not."""
        place = self.places.get(item)
        if there and place is None:
            self.places[item] = len(self.items)
            self.items.append(item)
        elif not there and place is not None:
            last = self.items.pop()
            del self.places[item]
            if last != item:
                self.items[place], self.places[last] = last, place

    def draw(self) -> T:
        return self.items[int(self.chance.random() * len(self.items))]


class Network:
    """Agents that ask each other by chance. Letters between two of them keep their order, and nothing else does."""

    def __init__(self, chance: Random, size: int, *, late: float = 0.0) -> None:
        self.chance = chance
        self.agents = {f"agent/{number}": Agent(f"agent/{number}") for number in range(size)}
        self.names = list(self.agents)
        self.ways: dict[tuple[str, str], deque[tuple[str, object]]] = defaultdict(deque)
        self.able = Pool[str](chance)
        """Who has mail and nothing to do."""
        self.full = Pool[tuple[str, str]](chance)
        """Ways that letters are on."""
        self.questions: dict[str, Question] = {}
        self.now = 0.0
        self.late = late
        self.left = size * chance.choice((1, 2, 3)) if size < 100 else size * 5 // 4
        """Questions that may still be asked."""
        self.ended: dict[str, str] = {}
        self.cycles: set[frozenset[str]] = set()
        self.broken = 0

    def live(self) -> None:
        for name in self.names:
            for _ in range(self.chance.randrange(3)):
                self.agents[name].mail.append(None)
            self.look_at(self.agents[name])
        moves = 0
        while True:
            self.now += 1.0
            moves += 1
            assert moves < 200_000, "it does not come to rest"
            if not self.able.items and not self.full.items:
                return
            if self.late and self.chance.random() < self.late:
                self.give_up()
            elif self.able.items and (not self.full.items or self.chance.random() < 0.3):
                self.begin(self.agents[self.able.draw()])
            else:
                self.deliver(self.full.draw())

    def look_at(self, agent: Agent) -> None:
        self.able.keep(agent.name, there=bool(agent.mail) and not agent.busy)

    def send(self, sender: str, to: str, kind: str, letter: object) -> None:
        self.ways[sender, to].append((kind, letter))
        self.full.keep((sender, to), there=True)

    def give_up(self) -> None:
        """Let the deadline of a wait pass."""
        waits = [wait for agent in self.agents.values() for wait in agent.waits.open.values()]
        if waits:
            wait = self.chance.choice(waits)
            self.end(self.agents[wait.node], wait.id, "late")

    def begin(self, agent: Agent) -> None:
        agent.doing, agent.busy = agent.mail.popleft(), True
        chain = [*agent.doing.chain, agent.doing.sender] if agent.doing else []
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 3))):
            to = self.chance.choice(self.names)
            if self.left <= 0 or closes(agent.name, to, chain):
                continue
            self.left -= 1
            asked = Question(
                f"q{len(self.questions)}", agent.name, to, chain, self.now, self.chance.choice((1, 3, 3, 5))
            )
            self.questions[asked.id] = asked
            agent.waits.begin(
                Wait(node=agent.name, to=to, id=asked.id, since=self.now, priority=asked.priority, key="0")
            )
            self.send(agent.name, to, "ask", asked)
        self.finish_if_done(agent)

    def finish_if_done(self, agent: Agent) -> None:
        if agent.busy and not agent.waits.open:
            if agent.doing:
                agent.doing.gone = min(agent.doing.gone, self.now)
                self.send(agent.name, agent.doing.sender, "reply", agent.doing.id)
            agent.doing, agent.busy = None, False
        self.look_at(agent)

    def end(self, agent: Agent, message_id: str, how: str) -> None:
        if agent.waits.end(message_id):
            self.note_end(agent, message_id, how)

    def note_end(self, agent: Agent, message_id: str, how: str) -> None:
        assert message_id not in self.ended
        self.ended[message_id] = how
        self.questions[message_id].gone = min(self.questions[message_id].gone, self.now)
        self.finish_if_done(agent)

    def deliver(self, way: tuple[str, str]) -> None:
        kind, letter = self.ways[way].popleft()
        self.full.keep(way, there=bool(self.ways[way]))
        agent = self.agents[way[1]]
        if isinstance(letter, Question):
            agent.mail.append(letter)
            self.look_at(agent)
            edge = Edge(node=letter.sender, to=agent.name, id=letter.id, priority=letter.priority)
            self.tell(agent, agent.waits.asked(edge))
        elif isinstance(letter, Probe):
            self.tell(agent, agent.waits.probed(letter, agent.owes))
        elif isinstance(letter, Break):
            self.judge(letter)
            wait, told = agent.waits.broken(letter)
            self.tell(agent, told)
            if wait:
                self.broken += 1
                self.note_end(agent, wait.id, "broken")
        else:
            assert kind == "reply"
            self.end(agent, str(letter), "answered")

    def tell(self, agent: Agent, told: list[Told]) -> None:
        for each in told:
            self.send(agent.name, each.to, each.signal, each.body)

    def judge(self, given: Break) -> None:
        """Only a real cycle is broken: its edges meet, and at some time all of them were open at once."""
        edges = given.edges
        for edge, following in zip(edges, [*edges[1:], edges[0]], strict=True):
            question = self.questions[edge.id]
            assert edge.to == following.node
            assert (question.sender, question.to, question.since) == (edge.node, edge.to, edge.since)
        asked = [self.questions[edge.id] for edge in edges]
        assert max(question.since for question in asked) < min(question.gone for question in asked)
        assert given.id == victim(edges).id
        assert all(edge.node in given.reason for edge in edges)
        self.cycles.add(frozenset(edge.id for edge in edges))

    def check(self) -> None:
        hanging = [wait for agent in self.agents.values() for wait in agent.waits.open.values()]
        assert not hanging, f"{len(hanging)} waits never end"
        assert set(self.ended) == set(self.questions)
        assert self.broken <= len(self.cycles)


def live(seed: int, size: int, late: float) -> Network:
    network = Network(Random(seed), size, late=late)
    try:
        network.live()
        network.check()
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, {size} agents: {error}") from error
    return network


@pytest.mark.parametrize("batch", range(4))
def test_nobody_hangs_every_cycle_is_broken_once_and_nothing_else_is(seed: int, batch: int) -> None:
    broken = 0
    for number in range(CASES // 4):
        size = 200 if number % (CASES // LARGE) == 0 else 2 + number % 7
        broken += live(seed + batch * CASES + number, size, late=0.0).broken
    assert broken > CASES // 40


def test_waits_whose_deadline_passes_make_nobody_take_for_a_cycle_what_is_none(seed: int) -> None:
    assert sum(live(seed + number, 3 + number % 6, late=0.05).broken for number in range(1000)) > 10


def wait(node: str, to: str, *, id: str = "", since: float = 1.0, priority: int = 3) -> Wait:
    return Wait(node=node, to=to, id=id or f"{node}>{to}", since=since, priority=priority)


def test_a_question_that_would_close_its_own_chain_is_refused_with_the_cycle_named() -> None:
    chain = ["agent/ada", "team/news#1"]
    assert closes("agent/bob", "agent/ada", chain) == "agent/ada → team/news#1 → agent/bob → agent/ada"
    assert closes("agent/bob", "agent/bob", chain) == "agent/bob → agent/bob"
    assert not closes("agent/bob", "agent/eve", chain)


def test_the_victim_is_the_least_important_then_the_youngest() -> None:
    edges = [wait("a", "b", since=5), wait("b", "c", since=9, priority=2), wait("c", "a", since=7)]
    assert victim(edges).node == "c"
    assert victim([*edges, wait("d", "a", since=1, priority=5)]).node == "d"


def test_two_tasks_of_one_team_are_two_nodes_and_a_probe_follows_only_the_one_that_is_meant() -> None:
    waits = Waits()
    waits.begin(wait("team/news#1", "agent/ada", id="one"))
    waits.begin(wait("team/news#2", "agent/bob", id="two"))
    told = waits.asked(Edge(node="agent/eve", to="team/news#2", id="q"))
    assert [(each.to, each.signal) for each in told] == [("agent/bob", "probe")]
    assert address_of("team/news#2") == "team/news"


def test_a_break_of_a_wait_that_is_over_ends_nothing_and_has_the_origin_look_again() -> None:
    waits = Waits()
    waits.begin(wait("agent/a", "agent/b", id="q"))
    assert waits.end("q")
    ended, told = waits.broken(Break(id="q", origin="agent/b"))
    assert ended is None
    assert [(each.to, each.body) for each in told] == [("agent/b", Probe(origin="agent/b", cause="over q"))]
    assert waits.was_over("q")
    assert not waits.was_over("other")


def test_what_is_open_crosses_a_rollover() -> None:
    waits = Waits()
    waits.begin(wait("agent/a", "agent/b", id="q"))
    waits.asked(Edge(node="agent/c", to="agent/a", id="r"))
    again = Waits.model_validate_json(waits.model_dump_json())
    assert again == waits
    assert not again.asked(Edge(node="agent/c", to="agent/a", id="r")), "it was passed on before"
