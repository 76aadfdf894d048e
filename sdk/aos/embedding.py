"""Embeddings: texts as vectors, by which what means the same lies near together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

EMBEDDED_CHARS = 8_000
"""Of a longer text, its first characters stand for all of it: models take about as many tokens."""


class Embedder(Protocol):
    """One model that embeds texts.

    `model` names it, with all that its vectors depend on: those of two models cannot be compared.
    """

    @property
    def model(self) -> str:
        """The model, as `provider:model`."""
        ...

    async def embed(self, texts: Sequence[str], *, question: bool = False) -> list[list[float]]:
        """Return a vector for each text. `question`: they are what is looked for, not what is to be found.

        Raises:
            RetryableModelError: It may succeed later.
            TerminalModelError: It cannot succeed as it is.
        """
        ...

    async def aclose(self) -> None:
        """Close what it holds open."""
        ...
