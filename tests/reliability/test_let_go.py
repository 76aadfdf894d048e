"""What comes together: an interruption and an answer in one workflow task, a rollover and those who ask."""

from __future__ import annotations

from collections.abc import Callable, Generator
from random import Random
from typing import Any

import pytest

from aos.conversation import Usage
from aos_workflows.state import AgentState
from simulation.activities import Activities
from simulation.model import SimulatedModel
from simulation.people import payload
from simulation.server import Server
from simulation.store import Fuse, MemoryStore
from simulation.truth import Truth


class Scene:
    """An agent, to which one thing after another happens and nothing by chance."""

    def __init__(self, **spec: Any) -> None:
        chance, fuse = Random(7), Fuse()
        store = MemoryStore(fuse)
        self.truth = Truth(store, forgets=False)
        model = SimulatedModel(chance, self.truth, fuse)
        work = Activities(store, model, chance, self.truth, fuse)
        self.server = Server("ada", payload({"name": "ada", "tools": [], **spec}), chance, self.truth, work, fuse)
        self.server.calm = model.calm = True
        self.server.task()
        self.work()

    @property
    def state(self) -> AgentState:
        """The agent's state."""
        return self.server.run.state

    def think(self) -> None:
        """Have the model answer; the agent hears of it in its next task."""
        (seq,) = self.server.activities
        self.server.attempt(seq)

    def ask(self, message_id: str, update: str) -> None:
        """Ask by an update; the agent hears of it in its next task."""
        self.server.update("ask", update, payload({"id": message_id, "text": "count the ships"}))

    def work(self) -> None:
        """Have all that the agent waits for done, and let it go on."""
        for seq in list(self.server.activities):
            self.server.attempt(seq)
        self.server.task()

    def send(self, name: str, **given: Any) -> None:
        """Send a signal; the agent hears of it in its next task."""
        self.server.signal(name, payload(given))


@pytest.fixture
def begin() -> Generator[Callable[..., Scene]]:
    """Begin a scene with an agent of the given spec."""
    scenes: list[Scene] = []

    def begin(**spec: Any) -> Scene:
        scenes.append(Scene(**spec))
        return scenes[-1]

    yield begin
    for scene in scenes:
        scene.server.run.lose()


def test_an_answer_that_comes_together_with_an_interruption_is_used_and_paid_for(begin: Callable[..., Scene]) -> None:
    scene = begin()
    scene.send("send", id="m1", text="count the ships")
    scene.server.task()
    scene.think()
    scene.send("send", id="m2", text="stop that", mode="interrupt")
    scene.server.task()
    assert _calls(scene.state) == _calls_of(scene.truth) == 1
    assert [(reply.id, reply.status) for reply in scene.state.replies.replies.values()] == [("m1", "done")]
    assert scene.state.turn
    assert scene.state.turn.ids == ["m2"]


def test_an_interruption_before_the_answer_ends_the_turn_within_its_workflow_task(begin: Callable[..., Scene]) -> None:
    scene = begin()
    scene.send("send", id="m1", text="count the ships")
    scene.server.task()
    scene.send("send", id="m2", text="stop that", mode="interrupt")
    scene.server.task()
    assert _calls(scene.state) == 0
    assert [(reply.id, reply.status) for reply in scene.state.replies.replies.values()] == [("m1", "interrupted")]
    assert scene.state.turn
    assert scene.state.turn.ids == ["m2"]
    scene.think()
    scene.server.task()
    assert scene.state.handled == 2


@pytest.mark.parametrize("last", ["result", "signal"])
def test_an_answer_that_comes_together_with_an_interruption_and_a_rollover_is_paid_for(
    begin: Callable[..., Scene], last: str
) -> None:
    scene = begin(rollover_events=50)
    scene.send("send", id="m1", text="count the ships")
    scene.server.task()
    if last == "result":
        scene.send("send", id="m2", text="stop that", mode="interrupt")
    scene.think()
    if last == "signal":
        scene.send("send", id="m2", text="stop that", mode="interrupt")
    scene.server.length = 9_000
    scene.server.task()
    scene.server.task()
    assert scene.server.runs == 2
    assert _calls(scene.state) == 1
    assert scene.state.replies.get("m1") is not None
    assert scene.state.is_busy_with("m2")


def test_an_agent_that_is_told_to_stop_at_once_pays_for_the_answer_that_came_with_it(
    begin: Callable[..., Scene],
) -> None:
    scene = begin()
    scene.send("send", id="m1", text="count the ships")
    scene.server.task()
    scene.think()
    scene.send("stop", when="now")
    scene.server.task()
    assert scene.server.farewell
    assert b'"calls":1' in scene.server.farewell.data


def test_asks_that_are_repeated_all_the_time_do_not_hold_up_a_rollover(begin: Callable[..., Scene]) -> None:
    scene = begin()
    for name in ("m1", "m2"):
        scene.send("send", id=name, text="count the ships")
        scene.server.task()
        scene.work()
    # As if the replies were so old that they are looked for in the store.
    scene.state.replies.replies.clear()
    scene.ask("m1", "first")
    scene.server.task()
    assert scene.server.activities
    scene.server.suggested = True
    for number in range(4):
        for seq in list(scene.server.activities):
            scene.server.attempt(seq)
        scene.ask(f"m{number % 2 + 1}", f"again {number}")
        scene.server.task()
    assert scene.server.runs == 2


def _calls(state: AgentState) -> int:
    return sum(usage.calls for usage in state.spend.values())


def _calls_of(truth: Truth) -> int:
    return sum((usage for usage in truth.charged.values()), Usage()).calls
