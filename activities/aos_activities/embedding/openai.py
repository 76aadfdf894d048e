"""Embeddings of OpenAI, Azure OpenAI, and every server that speaks their API."""

from __future__ import annotations

from collections.abc import Sequence

import openai

from aos.embedding import EMBEDDED_CHARS
from aos.wire import Wire
from aos_activities.models.failures import Failures, Remedies
from aos_activities.models.openai import OPENAI, OPENAI_URL, checked_key, told_as

_AT_ONCE = 100
"""Texts in one request: the API takes 300,000 tokens at a time."""


class _Vector(Wire):
    index: int
    embedding: list[float]


class _Vectors(Wire):
    data: list[_Vector]


class OpenAIEmbedder:
    """Speaks OpenAI's Embeddings.

    Args:
        model: A model of the server; of Azure, a deployment.
        api_key: Empty for a server that wants none.
        base_url: Where the API is, with its version: `https://host/v1`.
        dimensions: How many numbers a vector is to have, of a model that leaves the choice; 0 leaves it to the model.
        name: The part before the colon in `provider:model`.
        timeout: Seconds that a request may take.
        remedies: Which settings set things right, for the errors.
        client: A client that is set up already, in place of `base_url`.

    Raises:
        SetupError: The key is no key.
    """

    def __init__(
        self,
        *,
        model: str,
        api_key: str,
        base_url: str = OPENAI_URL,
        dimensions: int = 0,
        name: str = "openai",
        timeout: float = 30.0,
        remedies: Remedies = OPENAI,
        client: openai.AsyncOpenAI | None = None,
    ) -> None:
        self.model = f"{name}:{model}" + (f"/{dimensions}" if dimensions else "")
        key = checked_key(api_key, remedies)
        self._client = client or openai.AsyncOpenAI(api_key=key or "none", base_url=base_url, max_retries=0)
        self._fields: dict[str, object] = {"model": model, "encoding_format": "float"}
        if dimensions:
            self._fields["dimensions"] = dimensions
        self._timeout = timeout
        self._failures = Failures(name, model, remedies, (key,) if key else ())

    async def embed(self, texts: Sequence[str], *, question: bool = False) -> list[list[float]]:
        """Return a vector for each text; questions are embedded as all else.

        Raises:
            RetryableModelError: It may succeed later.
            TerminalModelError: It cannot succeed as it is.
        """
        vectors: list[list[float]] = []
        for begin in range(0, len(texts), _AT_ONCE):
            vectors += await self._embed([text[:EMBEDDED_CHARS] or " " for text in texts[begin : begin + _AT_ONCE]])
        return vectors

    async def _embed(self, texts: list[str]) -> list[list[float]]:
        with told_as(self._failures, self._timeout):
            answer = await self._client.post(
                "/embeddings",
                body={**self._fields, "input": texts},
                cast_to=object,
                options={"timeout": self._timeout},
            )
            found = {each.index: each.embedding for each in _Vectors.model_validate(answer).data}
        if sorted(found) != [*range(len(texts))]:
            raise self._failures.garbage(f"it has {len(found)} vectors for {len(texts)} texts")
        return [found[index] for index in range(len(texts))]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()
