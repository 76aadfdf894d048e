"""What every store of records does alike."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aos.errors import InvalidInput, MemoryConflict
from aos.memory import Embedded, Filter, Kind, MemoryStore, Reading, Record, Search, Transaction, Write

TEAM, ADA = "team/sales", "agent/ada"


def put(text: str = "", *, key: str = "acme", scope: str = TEAM, **fields: Any) -> Write:
    return Write(scope=scope, key=key, text=text, **fields)


def of(*writes: Write, id: str = "t1", **fields: Any) -> Transaction:
    return Transaction(id=id, writes=list(writes), **fields)


async def keep(memory: MemoryStore, *writes: Write, **fields: Any) -> datetime:
    """Commit writes as a transaction of their own, and return when that was."""
    number = len(await memory.log())
    return (await memory.commit(of(*writes, id=f"kept-{number}", **fields))).at


async def the(memory: MemoryStore, key: str = "acme", scope: str = TEAM, **given: Any) -> Record:
    found = await memory.get(scope, key, **given)
    assert found is not None
    return found


def keys(records: Any) -> list[str]:
    return [getattr(each, "record", each).key for each in records]


async def test_a_record_says_what_it_is_and_who_wrote_it_when_why_and_from_what(memory: MemoryStore) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    write = put("Acme pays late.", data={"days": 40, "names": ["Ä"]}, kind="fact", tags=["payment"], valid_from=since)
    committed = await memory.commit(of(write, by=ADA, why="the invoice of May", source="m-17"))
    found = await the(memory)
    assert (found.text, found.data, found.kind, found.tags) == (write.text, write.data, "fact", ["payment"])
    assert (found.by, found.why, found.source) == (ADA, "the invoice of May", "m-17")
    assert (found.valid_from, found.valid_to, found.version) == (since, None, 1)
    assert (found.at, found.transaction) == (committed.at, committed.number)


async def test_what_was_never_written_is_not_there(memory: MemoryStore) -> None:
    assert await memory.get(TEAM, "nobody") is None
    assert await memory.versions(TEAM, "nobody") == []
    assert await memory.log() == []


async def test_versions_are_kept_and_memory_is_read_as_it_was_at_any_time(memory: MemoryStore) -> None:
    first = await keep(memory, put("one"))
    second = await keep(memory, put("two"))
    gone = await keep(memory, put(forget=True))
    third = await keep(memory, put("three"))
    texts = [(version.version, version.text, version.forgotten) for version in await memory.versions(TEAM, "acme")]
    assert texts == [(4, "three", False), (3, "", True), (2, "two", False), (1, "one", False)]
    assert (await the(memory)).text == "three"
    assert [(await the(memory, as_of=at)).text for at in (first, second, third)] == ["one", "two", "three"]
    assert await memory.get(TEAM, "acme", as_of=gone) is None
    assert await memory.get(TEAM, "acme", as_of=first - timedelta(microseconds=1)) is None


async def test_a_write_that_expects_another_version_changes_nothing_and_says_what_is_there(
    memory: MemoryStore,
) -> None:
    await keep(memory, put("one"), put("other", key="b"))
    with pytest.raises(MemoryConflict, match="'acme' in team/sales has version 1, not 3") as refused:
        await memory.commit(of(put("two", key="b"), put("two", expected=3)))
    assert refused.value.conflicts == [(TEAM, "acme", 3, 1)]
    assert [(await the(memory, key)).text for key in ("acme", "b")] == ["one", "other"]
    assert len(await memory.log()) == 1
    assert (await memory.commit(of(put("two", expected=1)))).versions == [2]


async def test_a_record_that_is_to_be_new_must_not_be_there_and_may_have_been_forgotten(memory: MemoryStore) -> None:
    await keep(memory, put("one", expected=0))
    with pytest.raises(MemoryConflict, match="has version 1, not none"):
        await memory.commit(of(put("again", expected=0)))
    await keep(memory, put(forget=True, expected=1))
    await keep(memory, put("anew", expected=0))
    assert (await the(memory)).version == 3


async def test_what_a_transaction_was_made_from_must_still_be_so(memory: MemoryStore) -> None:
    await keep(memory, put("one"))
    made_from = [Reading(scope=TEAM, key="acme", version=1), Reading(scope=TEAM, key="none", version=0)]
    await memory.commit(of(put("a summary", key="summary"), reads=made_from))
    await keep(memory, put("two"))
    with pytest.raises(MemoryConflict, match="has version 2, not 1"):
        await memory.commit(of(put("another", key="summary"), reads=made_from, id="t2"))
    assert (await the(memory, "summary")).text == "a summary"


async def test_one_id_happens_once_and_says_each_time_what_came_of_it(memory: MemoryStore) -> None:
    transaction = of(put("one"), put("two", key="b"))
    first = await memory.commit(transaction)
    await keep(memory, put("later"))
    again = await memory.commit(transaction)
    assert again == first.model_copy(update={"repeated": True})
    assert (await the(memory)).text == "later"
    with pytest.raises(InvalidInput, match="id: 't1' was used for another one"):
        await memory.commit(of(put("something else")))


async def test_the_log_has_each_transaction_once_in_order_with_what_it_changed(memory: MemoryStore) -> None:
    for number in range(3):
        await memory.commit(of(put(f"{number}"), id=f"t{number}", by=ADA, why=f"because {number}"))
    await memory.commit(of(put("x", key="b"), put("y", key="c", scope=ADA), id="t3"))
    entries = await memory.log()
    assert [(entry.number, entry.id) for entry in entries] == [(1, "t0"), (2, "t1"), (3, "t2"), (4, "t3")]
    assert [entry.why for entry in entries] == ["because 0", "because 1", "because 2", ""]
    assert [(read.key, read.version) for entry in entries for read in entry.changed] == [
        *(("acme", version) for version in (1, 2, 3)),
        ("b", 1),
        ("c", 1),
    ]
    assert [entry.id for entry in await memory.log(after=2, limit=1)] == ["t2"]
    assert [entry.at for entry in entries] == sorted({entry.at for entry in entries})


async def test_writers_that_meet_at_one_record_lose_nothing(memory: MemoryStore) -> None:
    async def count(writer: int) -> None:
        for number in range(25):
            while True:
                found = await memory.get(TEAM, "count")
                counted = found.data if found else 0
                assert isinstance(counted, int)
                write = put(data=counted + 1, key="count", expected=found.version if found else 0)
                try:
                    await memory.commit(of(write, id=f"{writer}-{number}-{counted}"))
                    break
                except MemoryConflict:
                    continue

    await asyncio.gather(*(count(writer) for writer in range(8)))
    found = await the(memory, "count")
    assert (found.data, found.version) == (200, 200)


async def test_a_page_has_what_is_wanted_in_order_and_the_next_goes_on_behind_it(memory: MemoryStore) -> None:
    await keep(memory, *(put("x", key=f"k{number}") for number in (3, 1, 2)), put("y", key="a", scope="org"))
    await keep(memory, put(forget=True, key="k2"))
    first = await memory.page(Filter(), limit=2)
    assert [(record.scope, record.key) for record in first] == [("org", "a"), (TEAM, "k1")]
    assert keys(await memory.page(Filter(), after=(TEAM, "k1"))) == ["k3"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"scopes": ["org", ADA]}, ["law", "mood"]),
        ({"kinds": ["procedure", "block"]}, ["law", "steps"]),
        ({"tags": ["red"]}, ["law", "mood"]),
        ({"tags": ["red", "big"]}, ["mood"]),
        ({"prefix": "st"}, ["steps"]),
        ({"prefix": "s%"}, []),
        ({"scopes": ["team/other"]}, []),
        ({"valid_at": datetime(2026, 6, 1, tzinfo=UTC)}, ["mood"]),
    ],
)
async def test_a_filter_leaves_what_is_wanted_of_pages_and_searches(
    memory: MemoryStore, wanted: dict[str, Any], found: list[str]
) -> None:
    summer = {"valid_from": datetime(2026, 5, 1, tzinfo=UTC), "valid_to": datetime(2026, 9, 1, tzinfo=UTC)}
    kind: Kind = "block"
    await keep(memory, put("word", key="law", scope="org", kind=kind, tags=["red"]))
    await keep(memory, put("word", key="mood", scope=ADA, kind="episode", tags=["red", "big"], **summer))
    await keep(memory, put("word", key="steps", kind="procedure"))
    assert sorted(keys(await memory.page(Filter(**wanted)))) == found
    assert sorted(keys(await memory.search(Search(text="word", **wanted)))) == found


async def test_a_search_finds_words_in_keys_texts_data_and_tags_best_first(memory: MemoryStore) -> None:
    await keep(memory, put("The harbour opens at six.", key="harbour/hours"))
    await keep(memory, put("Ships wait outside the harbour when the wind is from the north.", key="wind"))
    await keep(memory, put(data={"captain": "Ödön Szabó"}, key="ships/corvina", tags=["barque"]))
    found = await memory.search(Search(text="harbour OPENING hours?"))
    assert keys(found) == ["harbour/hours", "wind"]
    assert found[0].score > found[1].score
    for words in ("odon", "SZABÓ", "corvina", "barque"):
        assert keys(await memory.search(Search(text=words))) == ["ships/corvina"], words
    assert keys(await memory.search(Search(text="harbour", limit=1))) == ["harbour/hours"]


async def test_a_search_finds_what_is_and_not_what_was(memory: MemoryStore) -> None:
    await keep(memory, put("The captain is Ada."))
    await keep(memory, put("The captain is Bob.", tags=["crew"]))
    assert keys(await memory.search(Search(text="Ada"))) == []
    assert keys(await memory.search(Search(text="Bob"))) == ["acme"]
    await keep(memory, put(forget=True))
    assert keys(await memory.search(Search(text="Bob captain"))) == []
    await keep(memory, put("The captain is Eve."))
    assert keys(await memory.search(Search(text="captain"))) == ["acme"]


@pytest.mark.parametrize(
    "text", ['"', "* OR NEAR(", "a AND", "'; DROP TABLE places; --", "key:x", "^", "()", "-", "\u200b", "%", "NOT"]
)
async def test_the_syntax_of_a_query_language_is_text_like_any_other(memory: MemoryStore, text: str) -> None:
    await keep(memory, put("nothing of that kind"))
    assert await memory.search(Search(text=text)) == []
    assert len(await memory.page(Filter())) == 1


def near(*numbers: float, model: str = "toy") -> Embedded:
    return Embedded(model=model, vectors=[[*numbers]])


async def keep_near(memory: MemoryStore, key: str, *numbers: float, **fields: Any) -> None:
    transaction = of(put("x", key=key, **fields), id=key)
    await memory.commit(transaction, near(*numbers))


async def test_a_search_finds_what_is_near_in_meaning_the_nearest_first(memory: MemoryStore) -> None:
    for key, *numbers in (("north", 0.0, 2.0), ("east", 1.0, 0.0), ("north-east", 3.0, 3.0), ("south", 0.0, -1.0)):
        await keep_near(memory, str(key), *map(float, numbers))
    found = await memory.search(Search(text="whither", limit=3), near(0.1, 1.0))
    assert keys(found) == ["north", "north-east", "east"]
    assert [each.places for each in found] == [{"meaning": 1}, {"meaning": 2}, {"meaning": 3}]


async def test_what_words_and_meaning_both_find_comes_before_what_one_of_them_finds(memory: MemoryStore) -> None:
    await keep(memory, put("harbour", key="words"))
    await memory.commit(of(put("port", key="meaning"), id="b"), near(0.0, 1.0))
    await memory.commit(of(put("old harbour", key="both"), id="c"), near(0.2, 1.0))
    found = await memory.search(Search(text="harbour"), near(0.0, 1.0))
    assert keys(found) == ["both", "words", "meaning"]
    assert found[0].places == {"words": 2, "meaning": 2}


async def test_a_record_that_is_written_without_a_vector_or_forgotten_is_near_to_nothing(memory: MemoryStore) -> None:
    await keep_near(memory, "a", 0.0, 1.0)
    await keep_near(memory, "b", 0.1, 1.0)
    await keep_near(memory, "c", 0.2, 1.0)
    assert keys(await memory.search(Search(text="y"), near(0.0, 1.0))) == ["a", "b", "c"]
    await keep(memory, put("without", key="a"))
    await keep(memory, put(key="b", forget=True))
    assert keys(await memory.search(Search(text="y"), near(0.0, 1.0))) == ["c"]
    await memory.commit(of(put("again", key="a"), id="again"), near(0.0, 1.0))
    assert keys(await memory.search(Search(text="y"), near(0.0, 1.0))) == ["a", "c"]


async def test_a_filter_finds_the_few_it_leaves_among_many_that_are_nearer(memory: MemoryStore) -> None:
    many = [put("x", key=f"k{number}", scope="org") for number in range(100)]
    for turn in range(3):
        writes = [write.model_copy(update={"key": f"{turn}/{write.key}"}) for write in many]
        vectors: list[list[float] | None] = [[1.0, number / 1000, turn / 10] for number in range(100)]
        await memory.commit(of(*writes, id=f"many-{turn}"), Embedded(model="toy", vectors=vectors))
    for number in range(3):
        await keep_near(memory, f"few-{number}", -1.0, number / 10, 0.0, tags=["rare"])
    found = await memory.search(Search(text="y", tags=["rare"], limit=5), near(1.0, 0.0, 0.0))
    assert keys(found) == ["few-2", "few-1", "few-0"]
    assert keys(await memory.search(Search(text="y", limit=2), near(1.0, 0.0, 0.0))) == ["0/k0", "0/k1"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (near(1.0, 2.0, 3.0), "they are 3 numbers of toy, those in memory are 2 of toy"),
        (near(1.0, 2.0, model="other"), "they are 2 numbers of other"),
        (near(1.0, float("nan")), "infinite, or none"),
        (near(), "from 1 to 4000"),
    ],
)
async def test_a_vector_that_does_not_fit_is_refused_and_changes_nothing(
    memory: MemoryStore, wrong: Embedded, said: str
) -> None:
    await keep_near(memory, "a", 0.0, 1.0)
    with pytest.raises(InvalidInput, match=said):
        await memory.commit(of(put("b", key="b"), id="wrong"), wrong)
    with pytest.raises(InvalidInput, match=said):
        await memory.search(Search(text="y"), wrong)
    assert keys(await memory.page(Filter())) == ["a"]
    assert keys(await memory.search(Search(text="y"), near(0.0, 1.0))) == ["a"]


async def test_as_many_vectors_are_needed_as_records_and_those_who_share_the_disk_are_not_touched(
    memory: MemoryStore,
) -> None:
    wrong = Embedded(model="test:two", vectors=[[1.0, 0.0], [0.0, 1.0]])
    given = [memory.commit(of(put("Right."), id="right")), memory.commit(of(put(key="other", text="x"), id="w"), wrong)]
    done, refused = await asyncio.gather(*given, return_exceptions=True)
    assert isinstance(refused, InvalidInput) and "2 of them for 1 texts" in str(refused)
    assert not isinstance(done, BaseException) and done.versions == [1]
    assert await memory.get(TEAM, "other") is None


async def test_a_caller_that_is_cancelled_does_not_break_off_what_others_write(memory: MemoryStore) -> None:
    given = [of(put(key=f"k{number}", text="x"), id=f"t{number}") for number in range(20)]
    commits = [asyncio.create_task(memory.commit(transaction)) for transaction in given]
    while not any(commit.done() for commit in commits):
        await asyncio.sleep(0)
        for commit in commits[::2]:
            commit.cancel()
    done = await asyncio.gather(*commits[1::2])
    assert [each.versions for each in done] == [[1]] * 10


async def test_versions_are_had_page_by_page(memory: MemoryStore) -> None:
    for text in "abcde":
        await keep(memory, put(text))
    newest = await memory.versions(TEAM, "acme", limit=2)
    older = await memory.versions(TEAM, "acme", before=newest[-1].version)
    assert [record.text for record in (*newest, *older)] == ["e", "d", "c", "b", "a"]
