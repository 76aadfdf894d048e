"""The check of the chaos test finds what it is there to find."""

from __future__ import annotations

from chaos.checker import check, told
from chaos.effects import Effect
from chaos.journal import Entry, Journal


def _sent(*texts: str, acknowledged: bool = True) -> dict[str, Entry]:
    journal = Journal()
    for place, text in enumerate(texts):
        entry = journal.invoke(text, "ada", "lane", place)
        if acknowledged:
            journal.acknowledge(entry)
    return journal.entries


def _done(*texts: str, key: str = "key") -> list[Effect]:
    return [Effect("ada", f"{key}-{text}", text) for text in texts]


def _kinds(entries: dict[str, Entry], effects: list[Effect]) -> list[str]:
    return [f"{breach.kind} {breach.text}" for breach in check(entries, effects)]


def test_what_is_done_once_and_in_order_breaks_nothing() -> None:
    assert not _kinds(_sent("a", "b", "c"), _done("a", "b", "c"))


def test_an_effect_repeated_under_its_key_breaks_nothing_also_late() -> None:
    assert not _kinds(_sent("a", "b", "c"), _done("a", "b", "a", "c", "b"))


def test_a_message_of_which_nobody_knows_may_have_an_effect_or_none() -> None:
    entries = _sent("a", "b", acknowledged=False)
    assert not _kinds(entries, _done("a"))


def test_a_lost_message_is_found() -> None:
    assert _kinds(_sent("a", "b", "c"), _done("a", "c")) == ["lost b"]


def test_a_message_done_under_two_keys_is_found() -> None:
    assert _kinds(_sent("a", "b"), [*_done("a", "b"), *_done("a", key="another")]) == ["twice a"]


def test_a_message_done_after_a_later_one_of_its_lane_is_found() -> None:
    assert _kinds(_sent("a", "b", "c"), _done("b", "a", "c")) == ["reordered a"]


def test_messages_of_no_lane_and_of_different_lanes_come_in_any_order() -> None:
    journal = Journal()
    for text, lane in (("a", None), ("b", None), ("c", "one"), ("d", "two")):
        journal.acknowledge(journal.invoke(text, "ada", lane, ord(text)))
    assert not _kinds(journal.entries, _done("d", "c", "b", "a"))


def test_an_effect_that_nobody_invoked_is_found() -> None:
    assert _kinds(_sent("a"), _done("a", "z")) == ["uninvoked z"]


def test_a_message_that_another_agent_handled_is_found() -> None:
    assert _kinds(_sent("a"), [Effect("bob", "key", "a")]) == ["astray a"]


def test_a_breach_is_told_with_the_history_of_its_message() -> None:
    entries, effects = _sent("a", "b"), [*_done("a", "b"), *_done("a", key="another")]
    lines = told(check(entries, effects), entries, effects)
    assert lines[0] == "twice: a: the message had its effect under the keys ['another-a', 'key-a']"
    assert [line.split(" s ")[-1] for line in lines[1:4]] == ["history of a, for ada:", "invoked", "acknowledged"]
    assert [line.split(": ")[0] for line in lines[4:]] == ["  effect 0 of 3", "  effect 2 of 3"]
