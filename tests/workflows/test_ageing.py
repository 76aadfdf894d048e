"""Low priority is slower, and not starved; who sends in an order is read in it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aos.message import Message
from aos_workflows.mailbox import AGE, Mailbox

LIMIT = 1024 * 1024

arrivals = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 5), st.floats(0, 500), st.booleans()), min_size=1, max_size=40
)


def taken(come: list[tuple[str, int, float, bool]], *, aside: bool) -> list[Message]:
    """Return the messages in the order in which they are taken, having come so much after each other."""
    mailbox, now = Mailbox(), 1_800_000_000.0
    store: dict[str, list[dict[str, object]]] = {}
    for number, (sender, priority, later, _) in enumerate(come):
        now += later
        mailbox.offer(Message(id=str(number), text="x", sender=sender, priority=priority), now)
        if aside and come[number][3] and (surplus := mailbox.surplus(300)):
            ref = str(len(store))
            store[ref] = [entry.model_dump(mode="json") for entry in surplus]
            mailbox.set_aside(ref, surplus)
            mailbox = Mailbox.model_validate_json(mailbox.model_dump_json())
    order: list[Message] = []
    while mailbox.count:
        while page := mailbox.page_needed():
            mailbox.bring_back(page, store[page.ref])  # pyright: ignore[reportArgumentType] - they are JSON
        order += [entry.message for entry in mailbox.take(1, LIMIT)]
    return order


@settings(max_examples=300, deadline=None)
@given(arrivals)
def test_nobody_is_overtaken_by_what_came_much_later(come: list[tuple[str, int, float, bool]]) -> None:
    at = [sum(later for _, _, later, _ in come[: number + 1]) for number in range(len(come))]
    order = [int(message.id) for message in taken(come, aside=False)]
    place = {number: index for index, number in enumerate(order)}
    for first in range(len(come)):
        for second in range(first + 1, len(come)):
            lead = (come[first][1] - come[second][1]) * AGE
            overtaken = place[second] < place[first]
            # A difference as small as the rounding of times may be decided either way.
            if abs(at[second] - at[first] - lead) > 1e-3:
                assert overtaken == (at[second] - at[first] < lead)


@settings(max_examples=300, deadline=None)
@given(arrivals)
def test_each_sender_is_heard_in_order_within_a_priority(come: list[tuple[str, int, float, bool]]) -> None:
    for aside in (False, True):
        last: dict[tuple[str, int], int] = {}
        for message in taken(come, aside=aside):
            assert int(message.id) > last.get((message.sender, message.priority), -1)
            last[message.sender, message.priority] = int(message.id)


@settings(max_examples=300, deadline=None)
@given(arrivals)
def test_what_lies_in_the_store_comes_in_the_same_order(come: list[tuple[str, int, float, bool]]) -> None:
    assert [message.id for message in taken(come, aside=True)] == [m.id for m in taken(come, aside=False)]


def test_a_clock_that_goes_back_changes_no_order() -> None:
    mailbox = Mailbox()
    for number, at in enumerate((100.0, 90.0, 95.0)):
        mailbox.offer(Message(id=str(number), text="x", sender="a"), at)
    assert [mailbox.take(1, LIMIT)[0].message.id for _ in range(3)] == ["0", "1", "2"]


def test_an_interruption_comes_before_whatever_waited_long() -> None:
    mailbox = Mailbox()
    mailbox.offer(Message(id="old", text="x", priority=1), 1_000.0)
    mailbox.offer(Message(id="new", text="x", priority=5, mode="interrupt"), 1_000_000.0)
    assert mailbox.interrupts
    assert mailbox.take(1, LIMIT)[0].message.id == "new"
