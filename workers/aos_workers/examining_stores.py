"""Whether the stores that the settings name are there, for `aos doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aos.errors import AosError, BlobMissing
from aos_workers.finding import Finding
from aos_workers.home import Home
from aos_workers.settings import Settings
from aos_workers.stores import make_blobs, make_embedder, make_memory

_PATIENCE = 15.0
_REMEDY = "mend its address, its rights, or the way there"


async def examine_stores(settings: Settings) -> list[Finding]:
    """Reach for each store that the settings name; files in the home are looked at with the home."""
    looks: list[tuple[str, bool, Callable[[Settings], Awaitable[None]]]] = [
        ("AOS_BLOBS_URL", settings.blobs_url is not None, _blobs),
        ("AOS_MEMORY_URL", settings.memory_url is not None, _memory),
        ("AOS_EMBEDDING", bool(settings.embedding), _embedding),
    ]
    return [await _look(name, look, settings) for name, wanted, look in looks if wanted]


async def _look(name: str, look: Callable[[Settings], Awaitable[None]], settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(_PATIENCE):
            await look(settings)
    except TimeoutError:
        return Finding("error", f"{name}: no answer within {_PATIENCE:g} s", _REMEDY)
    except AosError as error:
        return Finding("error", f"{name}: {error}", "mend that setting, for the workers too")
    except Exception as error:  # noqa: BLE001 - each kind of store has errors of its own, and all are findings here
        return Finding("error", f"{name}: {type(error).__name__}: {error}", _REMEDY)
    return Finding("ok", f"what {name} names answers")


async def _blobs(settings: Settings) -> None:
    store = make_blobs(settings, Home(settings.home))
    try:
        # That it answers is all that was asked.
        with suppress(BlobMissing):
            await store.load("0" * 48)
    finally:
        await store.aclose()


async def _memory(settings: Settings) -> None:
    store = make_memory(settings, Home(settings.home))
    try:
        await store.log(limit=1)
    finally:
        await store.aclose()


async def _embedding(settings: Settings) -> None:
    embedder = make_embedder(settings)
    if embedder is not None:
        try:
            await embedder.embed(["harbour"])
        finally:
            await embedder.aclose()
