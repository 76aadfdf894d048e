"""What a topic has to bring to its readers, without a server: whatever happens, each gets what it should, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from aos.message import Message
from aos_workflows.topic import log as log_module
from aos_workflows.topic.log import Entry, Log, PageAside

READERS = ("ada", "bob", "cyd")
ENTRY_BYTES = len(Entry(message=Message(text="x", id="100")).model_dump_json())


@pytest.fixture(scope="module", autouse=True)
def _small_pages() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction] - pytest uses it
    """Pages of two entries, and a window of four, so that a few entries go all the ways that there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_module, "PAGE_BYTES", 2 * ENTRY_BYTES)
        patch.setattr(log_module, "WINDOW", 4)
        yield


def wants(reader: str, entry: Entry) -> bool:
    """Whether a reader wants an entry: ada all, bob the even ones, cyd two of three."""
    assert entry.message
    number = int(entry.message.id)
    return {"ada": True, "bob": number % 2 == 0, "cyd": number % 3 != 0}[reader]


@dataclass
class Bench:
    """A log as a topic uses it, and beside it what each reader should get and got since it joined last."""

    log: Log = field(default_factory=Log)
    due: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    got: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    on_way: dict[str, int] = field(default_factory=dict[str, int])
    store: dict[str, list[JsonValue]] = field(default_factory=dict[str, list[JsonValue]])
    numbered: int = 100

    def do(self, act: str, reader: str, room: int) -> None:
        """Do one thing, as far as a topic would do it now."""
        match act:
            case "publish":
                self.publish()
            case "join" if reader not in self.due:
                self.log.join(reader)
                self.due[reader], self.got[reader] = [], []
            case "leave" if reader in self.due:
                self.log.leave(reader)
                del self.due[reader], self.got[reader]
            case "deal" if self.log.can_deal:
                self.log.deal(self.due, wants)
            case "send" if reader in self.due and reader not in self.on_way:
                self.send(reader)
            case "arrive" if reader in self.on_way:
                self.log.got(reader, self.on_way.pop(reader))
            case "trim":
                self.log.trim()
            case "roll over":
                self.roll_over(room * ENTRY_BYTES)
            case _:
                pass

    def publish(self) -> None:
        self.numbered += 1
        entry = Entry(message=Message(text="x", id=str(self.numbered)))
        self.log.add(entry)
        for reader, due in self.due.items():
            if wants(reader, entry):
                due.append(str(self.numbered))

    def send(self, reader: str) -> bool:
        if (found := self.log.next_for(reader, wants)) is None:
            return False
        number, entry = found
        assert entry.message
        self.got[reader].append(entry.message.id)
        self.on_way[reader] = number
        return True

    def roll_over(self, room: int) -> None:
        for reader in [*self.on_way]:
            self.do("arrive", reader, 0)
        self.log.trim()
        number, pages = self.log.surplus(room)
        if pages:
            self.log.set_aside(number, [self._stored(page) for page in pages], [*self.due])
        if pages := self.log.late_surplus(room):
            self.log.set_late_aside([self._stored(page) for page in pages])
        self.log = Log.model_validate_json(self.log.model_dump_json())

    def _stored(self, page: list[Entry]) -> PageAside:
        ref = str(len(self.store))
        self.store[ref] = [entry.model_dump(mode="json") for entry in page]
        return PageAside(ref=ref, count=len(page))

    def finish(self) -> None:
        """Bring everything to everybody."""
        while self.log.count:
            before = self.log.model_copy(deep=True), len(self.on_way)
            for reader in [*self.on_way]:
                self.do("arrive", reader, 0)
            while self.log.can_deal:
                self.log.deal(self.due, wants)
            for reader in self.due:
                self.do("send", reader, 0)
            self.log.trim()
            if page := self.log.page_needed:
                self.log.bring_back(page, self.store[page.ref])
            assert before != (self.log, len(self.on_way)), "it is stuck"


ACTS = st.sampled_from(["publish", "publish", "join", "leave", "deal", "send", "arrive", "trim", "roll over"])


@given(st.lists(st.tuples(ACTS, st.sampled_from(READERS), st.integers(0, 4)), max_size=80))
def test_every_reader_gets_all_that_it_wants_since_it_joined_once_and_in_order(
    acts: list[tuple[str, str, int]],
) -> None:
    bench = Bench()
    for act, reader, room in acts:
        bench.do(act, reader, room)
        for name, got in bench.got.items():
            assert got == bench.due[name][: len(got)]
    bench.finish()
    assert bench.got == bench.due
    assert not bench.log.front
    assert bench.log.settled


@given(st.integers(0, 20), st.integers(0, 12))
def test_what_is_set_aside_leaves_no_more_than_there_is_room_for(published: int, room: int) -> None:
    bench = Bench()
    bench.do("join", "ada", 0)
    for _ in range(published):
        bench.publish()
    bench.roll_over(room * ENTRY_BYTES)
    assert sum(len(entry.model_dump_json()) for entry in bench.log.front) <= room * ENTRY_BYTES
    assert bench.log.count == published
    assert all(page.count <= 2 for page in bench.log.aside)


def test_a_page_that_comes_back_twice_is_taken_once() -> None:
    bench = Bench()
    bench.do("join", "ada", 0)
    bench.publish()
    bench.roll_over(0)
    page = bench.log.page_needed
    assert page
    for _ in range(2):
        bench.log.bring_back(page, bench.store[page.ref])
    assert (len(bench.log.front), bench.log.count) == (1, 1)


def test_new_readers_get_what_was_put_before_what_waits_first() -> None:
    log = Log()
    log.join("old")
    log.add(Entry(message=Message(text="waits", id="1")))
    log.begin_with([Entry(stop="first", to="new")])
    order: list[str] = []
    while log.can_deal:
        log.deal(["new"], lambda reader, entry: True)
    while found := log.next_for("new", lambda reader, entry: True):
        order.append(found[1].stop or (found[1].message.text if found[1].message else ""))
        log.got("new", found[0])
    assert order == ["first", "waits"]
