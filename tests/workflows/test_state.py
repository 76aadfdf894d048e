"""The state: what crosses a rollover is all of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aos.conversation import Item, NoteItem, ToolItem, Usage, UserItem
from aos.message import Message, Mode, Reply
from aos.spec import AgentSpec, IntervalTrigger
from aos.tool_contracts import ToolPolicy
from aos.views import DeadLetter
from aos_workflows.migrations import MIGRATIONS, UnknownSchema, dump_state, load_state
from aos_workflows.schedule import Timer
from aos_workflows.state import NOTES_BYTES, RECENT_LINES, SCHEMA_VERSION, AgentState, Heard, Turn

STATES = Path(__file__).parents[1] / "replay" / "states"

texts = st.text(max_size=30)


class Living(RuleBasedStateMachine):
    """After every event, the state is what it would be after a rollover."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000.0
        self.state = AgentState(spec=AgentSpec(name="ada", purpose="live"), life="life", started=self.now)

    @rule(
        text=st.text(min_size=1, max_size=30), wake=st.booleans(), mode=st.sampled_from(["queue", "steer", "interrupt"])
    )
    def hear(self, text: str, wake: bool, mode: Mode) -> None:
        self.now += 1.5
        message = Message(id=str(self.now), text=text, wake=wake, mode=mode, images=[])
        self.state.mailbox.offer(message, self.now, asked=wake)

    @precondition(lambda self: self.state.turn is None and self.state.mailbox.has_work)
    @rule()
    def begin(self) -> None:
        state = self.state
        taken = state.mailbox.take(2, 100_000)
        state.turns += 1
        state.turn = Turn(number=state.turns, before=state.head, before_tokens=state.context_tokens)
        for entry in taken:
            item = UserItem(text=entry.message.text, id=entry.message.id)
            state.turn.heard.append(Heard(id=entry.message.id, text=entry.message.text))
            state.turn.new.append(item)
            state.show(item, self.now)
        state.turn.notes, state.notes = state.notes, []

    @precondition(lambda self: self.state.turn is not None)
    @rule(text=texts, cost=st.integers(0, 10**9))
    def think(self, text: str, cost: int) -> None:
        assert self.state.turn
        self.state.turn.step += 1
        self.state.turn.repeats["digest"] = self.state.turn.step
        self.state.turn.new = [ToolItem(call_id="1", name="look", text=text)]
        self.state.head, self.state.context_tokens = f"head-{text}", cost % 10_000
        self.state.charge("scripted:x", Usage(input_tokens=3, calls=1, cost=cost))

    @precondition(lambda self: self.state.turn is not None)
    @rule(
        text=texts, output=st.recursive(st.none() | st.booleans() | st.integers(-5, 5) | texts, st.lists, max_leaves=5)
    )
    def answer(self, text: str, output: object) -> None:
        assert self.state.turn
        for message_id in self.state.turn.ids:
            self.state.answer(
                Reply.model_validate({"id": message_id, "status": "done", "text": text, "output": output})
            )
        self.state.handled += 1
        self.state.turn = None

    @precondition(lambda self: self.state.turn is not None)
    @rule(reason=texts)
    def fail(self, reason: str) -> None:
        assert self.state.turn
        for heard in self.state.turn.heard:
            at = "2027-01-15T08:00:00Z"
            self.state.bury(DeadLetter.model_validate({"id": heard.id, "reason": reason, "text": heard.text, "at": at}))
            self.state.answer(Reply(id=heard.id, status="failed", error=reason))
        self.state.turn = None
        self.state.say(NoteItem(text=reason), self.now)

    @rule(seconds=st.floats(0, 1e6), text=texts)
    def set_timer(self, seconds: float, text: str) -> None:
        self.state.schedule.timers.append(Timer(id=str(self.now), due=self.now + seconds, text=text))

    @rule(every=st.floats(0.1, 1e6), jitter=st.floats(0, 10))
    def configure(self, every: float, jitter: float) -> None:
        trigger = IntervalTrigger(type="interval", every=every, jitter=jitter)
        self.state.spec = self.state.spec.model_copy(update={"triggers": [trigger], "purpose": str(every)})
        self.state.tools = {"look": ToolPolicy(queue="aos-shop", timeout=every, attempts=1)}
        self.state.schedule.plan(self.state.spec.triggers, self.now, lambda: 0.5)
        self.state.schedule.gates["key"] = str(every)

    @rule(later=st.floats(0, 1e6))
    def tick(self, later: float) -> None:
        self.now += later
        self.state.schedule.due(self.state.spec.triggers, self.now, lambda: 0.5)
        self.state.schedule.due_timers(self.now)

    @rule()
    def pause(self) -> None:
        self.state.paused = not self.state.paused

    @rule()
    def set_aside(self) -> None:
        if surplus := self.state.mailbox.surplus(500):
            self.state.mailbox.set_aside("ref", surplus)

    @invariant()
    def a_rollover_changes_nothing(self) -> None:
        crossed = json.loads(json.dumps(dump_state(self.state)))
        assert load_state(crossed) == self.state


TestLiving = Living.TestCase
TestLiving.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)


def test_what_stands_before_the_next_message_is_bounded() -> None:
    state = AgentState(spec=AgentSpec(name="ada"), life="life", started=0.0)
    long: list[Item] = [UserItem(text=letter * NOTES_BYTES) for letter in "abc"]
    state.keep([ToolItem(call_id="1", name="look", text="result"), *long, NoteItem(text="last")])
    assert sum(len(item.model_dump_json()) for item in state.notes) < 2 * NOTES_BYTES
    assert [item.kind for item in state.notes] == ["tool", "note", "note", "note", "note"]
    for number in range(1000):
        state.say(NoteItem(text=f"{number} " + "x" * 500), 0.0)
    assert sum(len(item.model_dump_json()) for item in state.notes) < 2 * NOTES_BYTES
    assert state.notes[0].kind == "tool"
    assert state.notes[-1].text.startswith("999 ")
    assert len(state.recent) == RECENT_LINES


def test_a_state_that_a_later_version_wrote_is_refused() -> None:
    data = {**dump_state(AgentState(spec=AgentSpec(name="ada"), life="life", started=0.0))}
    data["schema_version"] = SCHEMA_VERSION + 1
    with pytest.raises(UnknownSchema, match="newer AOS"):
        load_state(data)


def test_every_version_before_this_one_has_its_migration_and_its_golden_state() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))
    assert sorted(path.name for path in STATES.glob("*.json")) == [f"v{n}.json" for n in range(1, SCHEMA_VERSION + 1)]


@pytest.mark.parametrize("path", sorted(STATES.glob("*.json")), ids=lambda path: path.stem)
def test_golden_states_load_and_lose_nothing(path: Path) -> None:
    golden = json.loads(path.read_text())
    state = load_state(golden)
    assert state.spec.name == "ada"
    assert state.turn
    assert state.mailbox.count == 4
    assert state.mailbox.seen.streams
    assert state.schedule.ticks
    assert state.schedule.timers
    assert state.notes
    assert state.dead
    assert load_state(dump_state(state)) == state


def test_the_newest_golden_state_is_written_as_this_version_writes_it() -> None:
    golden = json.loads((STATES / f"v{SCHEMA_VERSION}.json").read_text())
    assert dump_state(load_state(golden)) == golden


def test_a_field_that_this_version_does_not_know_is_left_out() -> None:
    state = AgentState(spec=AgentSpec(name="ada"), life="life", started=0.0)
    assert load_state({**dump_state(state), "mood": "good"}) == state
