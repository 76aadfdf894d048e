"""A memory that is copied is as it was, whichever store it comes from and goes to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
import pytest_asyncio

from aos.errors import InvalidInput
from aos.memory import Embedded, Filter, Kind, MemoryStore, Record, Search, Transaction, Write
from aos_activities.memory.copying import copy_memory
from aos_activities.memory.postgres import PostgresMemory
from aos_activities.memory.sqlite import SqliteMemory

KINDS: tuple[Kind, ...] = ("fact", "episode", "procedure", "block")
WORDS: tuple[str, ...] = ("storm", "harbour", "ferry", "Ines", "Ärger", "tide")

Empty = Callable[[str], MemoryStore]


@pytest_asyncio.fixture
async def empty(tmp_path: Path, postgres: str) -> AsyncGenerator[Empty]:
    """Makes empty stores of a kind."""
    made: list[MemoryStore] = []

    def make(kind: str) -> MemoryStore:
        name = uuid4().hex[:12]
        made.append(
            SqliteMemory(tmp_path / f"{name}.db")
            if kind == "sqlite"
            else PostgresMemory(postgres, schema=f"memory_{name}")
        )
        return made[-1]

    yield make
    for store in made:
        await store.aclose()


async def fill(store: MemoryStore, chance: Random, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        keys = chance.sample(range(12), chance.randint(1, 4))
        writes = [_write(chance, f"k{key}") for key in keys]
        vectors = [None if write.forget else [chance.random(), chance.random(), 1.0] for write in writes]
        embedded = Embedded(model="test:three", vectors=[*vectors]) if chance.random() < 0.8 else None
        transaction = Transaction(id=f"t{number}", by="ada", why=f"because {number}", source="m", writes=writes)
        await store.commit(transaction, embedded)


def _write(chance: Random, key: str) -> Write:
    scope = chance.choice(("org", "team/sales", "agent/ada"))
    if chance.random() < 0.15:
        return Write(scope=scope, key=key, forget=True)
    text = " ".join(chance.choices(WORDS, k=5))
    tags = chance.sample(WORDS, chance.randint(0, 2))
    return Write(scope=scope, key=key, text=text, data={"n": chance.random()}, kind=chance.choice(KINDS), tags=tags)


@pytest.mark.parametrize(("source_kind", "target_kind"), [("sqlite", "postgres"), ("postgres", "sqlite")])
async def test_a_copy_has_all_versions_the_log_and_finds_the_same(
    empty: Empty, seed: int, source_kind: str, target_kind: str
) -> None:
    source, target = empty(source_kind), empty(target_kind)
    await fill(source, Random(seed), 130)
    assert await copy_memory(source, target) == 130
    await fill(source, Random(seed + 1), 20, first=130)
    told: list[int] = []
    assert await copy_memory(source, target, told.append) == 20
    assert told == [150]
    assert await copy_memory(source, target) == 0
    records = await _all(source)
    assert records == await _all(target)
    for record in records:
        assert await source.versions(record.scope, record.key) == await target.versions(record.scope, record.key)
    for after in (0, 100):
        assert await source.log(after) == await target.log(after)
    for word in WORDS:
        found = [await _places(store, Search(text=word, limit=100)) for store in (source, target)]
        assert found[0] == found[1]
    near = Embedded(model="test:three", vectors=[[0.5, 0.1, 1.0]])
    ranked = [
        [each.record.key for each in await store.search(Search(text="?", limit=5), near)] for store in (source, target)
    ]
    assert len(ranked[0]) == 5 and ranked[0][:3] == ranked[1][:3]


async def test_what_was_written_before_the_copy_is_not_written_again_after_it(empty: Empty) -> None:
    source, target = empty("sqlite"), empty("postgres")
    transaction = Transaction(id="once", writes=[Write(scope="org", key="a", text="x")])
    first = await source.commit(transaction)
    await copy_memory(source, target)
    again = await target.commit(transaction)
    assert again.repeated and again.number == first.number
    assert (await target.commit(transaction.model_copy(update={"id": "twice"}))).versions == [2]


async def test_a_store_with_something_else_in_it_is_not_copied_into(empty: Empty) -> None:
    source, target = empty("sqlite"), empty("sqlite")
    await fill(source, Random(1), 3)
    await fill(target, Random(2), 2)
    with pytest.raises(InvalidInput, match="2 transactions that are not those of the source"):
        await copy_memory(source, target)
    with pytest.raises(InvalidInput, match="the log ends with transaction 2, and 2 does not follow it"):
        await target.restore(await source.dump(1, 1))
    assert len(await target.log()) == 2


async def _all(store: MemoryStore) -> list[Record]:
    return [*await store.page(Filter())]


async def _places(store: MemoryStore, wanted: Search) -> set[tuple[str, str]]:
    return {(each.record.scope, each.record.key) for each in await store.search(wanted)}
