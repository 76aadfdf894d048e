from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aos.message import Message, Sequence
from aos.spec import AgentSpec
from aos_workflows.migrations import dump_state
from aos_workflows.seen import GAPS, IDS, STREAMS, Seen
from aos_workflows.state import AgentState


def numbered(stream: int, number: int) -> Message:
    sequence = Sequence(stream=f"s{stream}", born=1000 + stream, number=number)
    return Message(id=f"{stream}/{number}", text="x", sequence=sequence)


arrivals = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), max_size=200)


@given(arrivals)
def test_no_message_is_new_twice_however_they_come(order: list[tuple[int, int]]) -> None:
    seen = Seen()
    new: set[tuple[int, int]] = set()
    for stream, number in order:
        if seen.judge(numbered(stream, number)) == "new":
            assert (stream, number) not in new
            new.add((stream, number))
    assert new == set(order)


@given(st.lists(st.tuples(st.integers(0, STREAMS + 30), st.integers(1, 300)), max_size=500), st.data())
@settings(max_examples=30)
def test_nor_once_ids_streams_and_gaps_had_to_be_forgotten(order: list[tuple[int, int]], data: st.DataObject) -> None:
    seen = Seen()
    new: set[tuple[int, int]] = set()
    repeats = data.draw(st.lists(st.sampled_from(order), max_size=100)) if order else []
    filler = [(0, number) for number in range(1000, 1000 + 2 * (IDS + GAPS), 2)]
    for stream, number in [*order, *filler, *repeats, *order]:
        if seen.judge(numbered(stream, number)) == "new":
            assert (stream, number) not in new
            new.add((stream, number))


@given(st.integers(1, STREAMS), st.integers(1, 30))
@settings(max_examples=30)
def test_a_stream_without_gaps_is_never_refused(streams: int, length: int) -> None:
    seen = Seen()
    for number in range(1, length + 1):
        for stream in range(streams):
            assert seen.judge(numbered(stream, number)) == "new"
    assert seen.judge(numbered(streams - 1, length)) == "duplicate"
    assert all(len(stream.ranges) == 2 for stream in seen.streams.values())


@given(st.permutations(range(1, 2 * GAPS)))
def test_a_burst_that_arrives_in_any_order_is_new_whole(order: list[int]) -> None:
    seen = Seen()
    assert [seen.judge(numbered(1, number)) for number in order] == ["new"] * len(order)
    assert seen.streams["s1"].ranges == [1, 2 * GAPS - 1]


@given(st.permutations(range(1, 6 * GAPS, 2)))
@settings(max_examples=20)
def test_a_number_in_a_gap_given_up_is_refused_aloud_and_not_taken_for_a_repetition(order: list[int]) -> None:
    seen = Seen()
    for number in order:
        assert seen.judge(numbered(1, number)) in ("new", "forgotten")
    verdicts = [seen.judge(numbered(1, number)) for number in range(2, 6 * GAPS - 1, 2)]
    assert "forgotten" in verdicts
    assert set(verdicts) <= {"new", "forgotten"}


def test_a_stream_that_made_room_may_have_been_here_and_is_refused() -> None:
    seen = Seen()
    for stream in range(STREAMS + 1):
        assert seen.judge(numbered(stream, 1)) == "new"
    assert seen.judge(numbered(0, 2)) == "forgotten"
    assert seen.judge(numbered(STREAMS + 2, 1)) == "new"


def test_an_id_without_a_number_is_new_once() -> None:
    seen = Seen()
    message = Message(id="order-7", text="x")
    assert [seen.judge(message), seen.judge(message)] == ["new", "duplicate"]


def test_what_it_remembers_is_bounded() -> None:
    seen = Seen()
    for stream in range(STREAMS + 50):
        for number in range(1, 6 * GAPS, 4):
            seen.judge(numbered(stream, number))
    assert len(seen.streams) == STREAMS
    assert len(seen.ids) == IDS
    assert all(len(stream.ranges) <= 2 * (GAPS + 1) for stream in seen.streams.values())
    state = AgentState(spec=AgentSpec(name="ada"), life="life", started=0.0)
    state.mailbox.seen = seen
    assert len(str(dump_state(state))) < 400_000


def test_a_message_known_by_its_id_is_known_by_its_number_once_the_id_is_forgotten() -> None:
    seen = Seen()
    first = numbered(1, 1)
    again = first.model_copy(update={"sequence": numbered(2, 1).sequence})
    assert [seen.judge(first), seen.judge(again)] == ["new", "duplicate"]
    for number in range(2, IDS + 2):
        seen.judge(numbered(1, number))
    assert [seen.judge(first), seen.judge(again)] == ["duplicate", "duplicate"]


def test_a_stream_that_began_with_time_itself_is_new() -> None:
    message = Message(id="a", text="x", sequence=Sequence(stream="s", born=0, number=1))
    seen = Seen()
    assert [seen.judge(message), seen.judge(message)] == ["new", "duplicate"]
