"""What need not stand in a memory: found whatever the order in which records are looked at."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aos.memory import Kind, Record
from aos.memory_compaction import WHY, Compaction, Dropped

NOW = datetime(2026, 11, 28, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def record(
    key: str, text: str = "", *, scope: str = "org", kind: Kind = "fact", age: int = 0, ends: int | None = None
) -> Record:
    """Return a record written `age` minutes ago, which is so until `ends` minutes from now."""
    valid_to = None if ends is None else NOW + ends * MINUTE
    at = NOW - age * MINUTE
    said = text or f"about {key}"
    return Record(scope=scope, key=key, version=1, text=said, kind=kind, at=at, valid_to=valid_to, transaction=1)


def found(*records: Record, episodes: int | None = None) -> list[tuple[str, str]]:
    """Return keys and reasons of what need not stand there."""
    return [(each.key, each.reason) for each in dropped(*records, episodes=episodes)]


def dropped(*records: Record, episodes: int | None = None) -> list[Dropped]:
    compaction = Compaction(NOW, episodes)
    for each in records:
        compaction.look_at(each)
    return compaction.dropped()


def test_what_is_no_longer_so_goes_and_what_still_is_stays() -> None:
    assert found(record("a", ends=-1), record("b", ends=0), record("c", ends=1), record("d")) == [
        ("a", "over"),
        ("b", "over"),
    ]


def test_of_what_stands_there_twice_the_newest_stays_however_it_is_spaced_and_written() -> None:
    same = [record("a", "It rains.", age=5), record("b", " it  RAINS.", age=1), record("c", "It rains.", age=3)]
    assert [(each.key, each.like) for each in dropped(*same)] == [("a", "b"), ("c", "b")]


def test_what_differs_in_kind_scope_or_time_does_not_stand_there_twice() -> None:
    one = record("a", "It rains.")
    others = [
        record("b", "It rains.", scope="team/news"),
        record("c", "It rains.", kind="procedure"),
        record("d", "It rains.", ends=5),
        record("e", "It rains.").model_copy(update={"tags": ["coast"]}),
        record("f", "It rains.").model_copy(update={"data": {"mm": 4}}),
    ]
    assert found(one, *others) == []


def test_blocks_stand_in_prompts_by_their_keys_and_stay() -> None:
    assert found(record("a", "Be brief.", kind="block"), record("b", "Be brief.", kind="block")) == []


def test_the_newest_episodes_of_each_scope_stay() -> None:
    episodes = [
        record(f"e{age}", scope=scope, kind="episode", age=age)
        for scope in ("agent/ada", "agent/bob")
        for age in range(4)
    ]
    assert found(*episodes) == []
    assert Counter(each.scope for each in dropped(*episodes, episodes=3)) == {"agent/ada": 1, "agent/bob": 1}
    assert found(*episodes[:4], episodes=2) == [("e2", "old"), ("e3", "old")]


RECORDS = st.lists(
    st.builds(
        record,
        key=st.text("abc", min_size=1, max_size=3),
        text=st.sampled_from(["x", "X", "y"]),
        scope=st.sampled_from(["org", "team/t"]),
        kind=st.sampled_from(["fact", "episode", "block"]),
        age=st.integers(0, 9),
        ends=st.sampled_from([None, -1, 1]),
    ),
    unique_by=lambda each: (each.scope, each.key),
)


@given(RECORDS, st.sampled_from([None, 0, 1, 3]))
def test_the_order_is_of_no_account_and_what_is_left_need_not_be_looked_at_again(
    records: list[Record], episodes: int | None
) -> None:
    first = dropped(*records, episodes=episodes)
    assert dropped(*reversed(records), episodes=episodes) == first
    gone = {(each.scope, each.key) for each in first}
    assert len(gone) == len(first) and all(each.reason in WHY for each in first)
    left = [each for each in records if (each.scope, each.key) not in gone]
    assert dropped(*left, episodes=episodes) == []
    for each in first:
        assert not each.like or (each.scope, each.like) in {(kept.scope, kept.key) for kept in [*left, *records]}
