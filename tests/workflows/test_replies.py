from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aos.message import Reply
from aos_workflows.replies import CARRIED_BYTES, KEPT, ReplyBook


def test_the_newest_replies_are_kept_and_the_oldest_let_go() -> None:
    book = ReplyBook()
    for number in range(KEPT + 5):
        book.keep(Reply(id=str(number), status="done"))
    assert len(book.replies) == KEPT
    assert book.get("4") is None
    assert book.get("5") == Reply(id="5", status="done")


@given(st.lists(st.integers(0, 3000), max_size=30))
def test_what_crosses_a_rollover_is_the_newest_within_its_bytes(sizes: list[int]) -> None:
    book = ReplyBook()
    for number, size in enumerate(sizes):
        book.keep(Reply(id=str(number), status="done", text="x" * size))
    carried = list(book.carried().replies.values())
    assert sum(len(reply.model_dump_json()) for reply in carried) <= CARRIED_BYTES
    assert carried == list(book.replies.values())[len(sizes) - len(carried) :]


def test_a_long_reply_does_not_keep_others_from_crossing() -> None:
    book = ReplyBook()
    book.keep(Reply(id="failed", status="failed", error="no"))
    book.keep(Reply(id="long", status="done", text="x" * CARRIED_BYTES))
    assert list(book.carried().replies) == ["failed"]
