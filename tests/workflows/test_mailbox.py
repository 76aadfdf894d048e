from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import JsonValue

from aos.message import Message, Mode
from aos_workflows.mailbox import PAGE_BYTES, QUIET_BYTES, Envelope, Mailbox, SetAside

LIMIT = 1024 * 1024

modes = st.sampled_from(["queue", "queue", "queue", "interrupt", "steer"])


class Handling(RuleBasedStateMachine):
    """Whatever is put in comes out once, and in order for each sender and priority."""

    def __init__(self) -> None:
        super().__init__()
        self.mailbox = Mailbox()
        self.store: dict[str, list[JsonValue]] = {}
        self.pages = 0
        self.offered: list[str] = []
        self.taken: list[Envelope] = []

    @rule(
        sender=st.sampled_from("abc"),
        mode=modes,
        priority=st.integers(1, 5),
        wake=st.booleans(),
        size=st.sampled_from([1, 100, 5000]),
        asked=st.booleans(),
    )
    def offer(self, sender: str, mode: Mode, priority: int, wake: bool, size: int, asked: bool) -> None:
        number = str(len(self.offered))
        message = Message(id=number, text="x" * size, sender=sender, mode=mode, priority=priority, wake=wake)
        assert self.mailbox.offer(message, 0.0, asked=asked) == "new"
        assert self.mailbox.offer(message, 0.0) == "duplicate"
        self.offered.append(number)

    @rule(batch=st.integers(1, 5), limit=st.sampled_from([2000, LIMIT]))
    def take(self, batch: int, limit: int) -> None:
        while page := self.mailbox.page_needed():
            self.bring_back(page)
        best = min((entry.urgency for entry in self.mailbox.waiting), default=None)
        taken = self.mailbox.take(batch, limit)
        loud = [entry for entry in taken if entry.message.wake]
        assert len(loud) <= batch
        assert sum(entry.size for entry in taken) <= limit or len(taken) == 1
        assert not loud or loud[0].urgency == best
        assert len(loud) == 1 or not any(entry.asked for entry in loud)
        self.taken += taken

    @rule()
    def steer(self) -> None:
        taken = self.mailbox.take_steering(LIMIT)
        assert all(entry.message.mode == "steer" for entry in taken)
        self.taken += taken

    @rule(limit=st.sampled_from([0, 600, 3000, 8192]))
    def roll_over(self, limit: int) -> None:
        while surplus := self.mailbox.surplus(limit):
            self.pages += 1
            ref = str(self.pages)
            self.store[ref] = [entry.model_dump(mode="json") for entry in surplus]
            assert sum(entry.size for entry in surplus) <= PAGE_BYTES or len(surplus) == 1
            self.mailbox.set_aside(ref, surplus)
        self.mailbox = Mailbox.model_validate_json(self.mailbox.model_dump_json())
        assert sum(entry.size for entry in (*self.mailbox.waiting, *self.mailbox.quiet)) <= limit

    def bring_back(self, page: SetAside) -> None:
        entries = self.store.pop(page.ref)
        assert len(entries) == page.count
        self.mailbox.bring_back(page, entries)

    @invariant()
    def nothing_is_lost_and_nothing_comes_twice(self) -> None:
        aside = [Envelope.model_validate(entry).message.id for page in self.store.values() for entry in page]
        held = [entry.message.id for entry in (*self.mailbox.waiting, *self.mailbox.quiet)]
        done = [entry.message.id for entry in self.taken]
        assert sorted([*done, *held, *aside], key=int) == self.offered
        assert self.mailbox.count == len(held) + len(aside)

    @invariant()
    def order_is_kept(self) -> None:
        orders: dict[tuple[str, int, str, bool], list[int]] = defaultdict(list)
        for entry in self.taken:
            message = entry.message
            orders[message.sender, message.priority, message.mode, message.wake].append(entry.order)
        assert all(order == sorted(order) for order in orders.values())


TestHandling = Handling.TestCase
TestHandling.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def filled(*messages: Message) -> Mailbox:
    mailbox = Mailbox()
    for message in messages:
        mailbox.offer(message, 0.0)
    return mailbox


@given(st.lists(st.tuples(st.integers(1, 5), modes), min_size=1, max_size=20))
def test_interruptions_come_first_then_priority_then_age(wanted: list[tuple[int, Mode]]) -> None:
    messages = [Message(id=str(i), text="x", priority=p, mode=mode) for i, (p, mode) in enumerate(wanted)]
    mailbox = filled(*messages)
    taken = [mailbox.take(1, LIMIT)[0].message for _ in messages]
    expected = sorted(messages, key=lambda m: (0 if m.mode == "interrupt" else m.priority, int(m.id)))
    assert taken == expected


def test_a_message_that_somebody_waits_for_is_taken_alone() -> None:
    mailbox = Mailbox()
    for number, asked in enumerate((False, False, True, False)):
        mailbox.offer(Message(id=str(number), text="x"), 0.0, asked=asked)
    assert [[entry.message.id for entry in mailbox.take(10, LIMIT)] for _ in range(3)] == [["0", "1"], ["2"], ["3"]]


def test_messages_with_different_schemas_are_not_taken_together() -> None:
    schema = {"type": "object"}
    mailbox = filled(Message(id="0", text="x"), Message(id="1", text="x", output_schema=schema))
    assert len(mailbox.take(10, LIMIT)) == 1


def test_a_batch_stays_within_its_bytes_even_with_quiet_messages() -> None:
    mailbox = filled(
        Message(id="q", text="x" * 900, wake=False), *(Message(id=str(i), text="x" * 900) for i in range(3))
    )
    assert [entry.message.id for entry in mailbox.take(10, 2500)] == ["0", "1"]
    assert [entry.message.id for entry in mailbox.take(10, 2500)] == ["q", "2"]


def test_what_json_makes_long_counts_as_long() -> None:
    assert Envelope(message=Message(id="0", text="\x00" * 1000), order=1, at=0.0).size > 6000


def test_quiet_messages_are_no_work_until_they_are_many() -> None:
    mailbox = filled(Message(id="0", text="x", wake=False))
    assert not mailbox.has_work
    mailbox.offer(Message(id="1", text="x" * QUIET_BYTES, wake=False), 0.0)
    assert mailbox.has_work
    assert [entry.message.id for entry in mailbox.take(1, LIMIT)] == ["0", "1"]


def test_what_lies_in_the_store_is_not_overtaken_by_a_batch() -> None:
    mailbox = filled(*(Message(id=str(number), text="x") for number in range(4)))
    page = mailbox.waiting[2:]
    mailbox.set_aside("ref", page)
    mailbox.offer(Message(id="4", text="x"), 0.0)
    assert [entry.message.id for entry in mailbox.take(10, LIMIT)] == ["0", "1"]
    needed = mailbox.page_needed()
    assert needed
    mailbox.bring_back(needed, [entry.model_dump(mode="json") for entry in page])
    assert [entry.message.id for entry in mailbox.take(10, LIMIT)] == ["2", "3", "4"]
