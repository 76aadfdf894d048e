"""The way to shared memory: what is written is embedded first, and made known afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from pydantic import JsonValue

from aos.embedding import Embedder
from aos.errors import RetryableModelError, TerminalModelError
from aos.memory import Committed, Embedded, Found, MemoryStore, Search, Transaction, Write, scope_topic
from aos.message import Message
from aos.parts import DataPart
from aos_activities.memory.rows import micros
from aos_activities.memory.words import words_of
from aos_activities.topics import TopicAccess

_log = structlog.get_logger(__name__)

_NAMED = 5
"""Records that are told by name."""


class MemoryAccess:
    """Memory as tools and clients use it.

    Args:
        store: Where the records live.
        embedder: By which they are found by meaning; None: by their words alone.
        topics: Where changes are made known, to those who have subscribed to the topic of a scope.
    """

    def __init__(self, store: MemoryStore, embedder: Embedder | None, topics: TopicAccess) -> None:
        self.store = store
        self._embedder = embedder
        self._topics = topics

    async def commit(self, transaction: Transaction) -> Committed:
        """Write all of a transaction, or nothing, and tell those who have subscribed.

        Raises:
            InvalidInput: The id was used for another transaction, or the vectors do not fit those that are there.
            MemoryConflict: A record is not at the version that was expected.
            RetryableModelError: The model that embeds may do it later; nothing was written.
            TerminalModelError: It cannot.
        """
        committed = await self.store.commit(transaction, await self._embedded(transaction.writes))
        # Also where it was written before: whoever wrote it may have died before anybody was told.
        for topic, message in _announcements(transaction, committed):
            await self._topics.announce(topic, message)
        return committed

    async def search(self, wanted: Search) -> Sequence[Found]:
        """Return what is found, best first: by words alone where the model that embeds does not answer.

        Raises:
            InvalidInput: Those in memory were embedded by another model.
        """
        embedded = None
        if self._embedder is not None:
            try:
                vectors = await self._embedder.embed([wanted.text], question=True)
                embedded = Embedded(model=self._embedder.model, vectors=list(vectors))
            except (RetryableModelError, TerminalModelError) as error:
                _log.warning("memory_searched_by_words_alone", model=self._embedder.model, error=str(error))
        return await self.store.search(wanted, embedded)

    async def _embedded(self, writes: Sequence[Write]) -> Embedded | None:
        if self._embedder is None:
            return None
        texts = {index: _told(write) for index, write in enumerate(writes) if not write.forget}
        vectors = await self._embedder.embed([*texts.values()]) if texts else []
        found = dict(zip(texts, vectors, strict=True))
        return Embedded(model=self._embedder.model, vectors=[found.get(index) for index in range(len(writes))])


def _told(write: Write) -> str:
    return "\n".join(text for text in words_of(write) if text)


def _announcements(transaction: Transaction, committed: Committed) -> list[tuple[str, Message]]:
    """Return what is told of a transaction, and on which topics."""
    topics: dict[str, list[tuple[Write, int]]] = {}
    for write, version in zip(transaction.writes, committed.versions, strict=True):
        topics.setdefault(scope_topic(write.scope), []).append((write, version))
    return [(topic, _announcement(transaction, committed, topic, made)) for topic, made in topics.items()]


def _announcement(
    transaction: Transaction, committed: Committed, topic: str, made: Sequence[tuple[Write, int]]
) -> Message:
    names = ", ".join(f"{write.key} in {write.scope}" for write, _ in made[:_NAMED])
    more = f" and {len(made) - _NAMED} more" if len(made) > _NAMED else ""
    why = f" ({transaction.why})" if transaction.why else ""
    changed: list[JsonValue] = [
        {
            "scope": write.scope,
            "key": write.key,
            "kind": write.kind,
            "forgotten": write.forget,
            "version": version,
        }
        for write, version in made
    ]
    return Message(
        id=f"{topic}/{micros(committed.at)}",
        text=f"{transaction.by or 'somebody'} changed {names}{more}{why}",
        kind="publication",
        parts=[DataPart(data={"number": committed.number, "by": transaction.by, "changed": changed})],
    )
