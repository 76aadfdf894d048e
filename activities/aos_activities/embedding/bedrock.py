"""Embeddings of Amazon Bedrock: Titan's, and Cohere's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from aos.embedding import EMBEDDED_CHARS
from aos.wire import Wire
from aos_activities.models.bedrock_calls import BEDROCK, EXPECTED, BedrockCalls, model_error
from aos_activities.models.failures import Failures

_COHERE_AT_ONCE = 96
_COHERE_CHARS = 2_048
_AT_ONCE = 8


class _Titan(Wire):
    embedding: list[float]


class _Cohere(Wire):
    embeddings: list[list[float]]


_Answer = TypeVar("_Answer", bound=Wire)


class BedrockEmbedder:
    """Speaks to Bedrock's embedding models, with the credentials that boto3 finds in its own places.

    Args:
        model: A model or an inference profile of the region; one with `cohere` in its name is asked as Cohere's.
        region: AWS region of the models.
        dimensions: How many numbers a vector of Titan's is to have; 0 leaves it to the model.
        endpoint_url: Another address of the service, such as a VPC endpoint.
        timeout: Seconds that a request may take.

    Raises:
        SetupError: AWS's own settings on this machine cannot be read, or name a profile that does not exist.
    """

    def __init__(
        self, *, model: str, region: str, dimensions: int = 0, endpoint_url: str | None = None, timeout: float = 30.0
    ) -> None:
        self.model = f"bedrock:{model}" + (f"/{dimensions}" if dimensions else "")
        self._id = model
        self._dimensions = dimensions
        self._timeout = timeout
        self._failures = Failures("bedrock", model, BEDROCK)
        self._calls = BedrockCalls(
            region=region, endpoint_url=endpoint_url, name="bedrock", connect_timeout=10.0, concurrency=_AT_ONCE
        )

    async def embed(self, texts: Sequence[str], *, question: bool = False) -> list[list[float]]:
        """Return a vector for each text.

        Raises:
            RetryableModelError: It may succeed later.
            TerminalModelError: It cannot succeed as it is.
        """
        if "cohere" in self._id:
            kind = "search_query" if question else "search_document"
            parts = [texts[begin : begin + _COHERE_AT_ONCE] for begin in range(0, len(texts), _COHERE_AT_ONCE)]
            found = await asyncio.gather(*(self._cohere(part, kind) for part in parts))
            return [vector for vectors in found for vector in vectors]
        return [*await asyncio.gather(*(self._titan(text) for text in texts))]

    async def _cohere(self, texts: Sequence[str], kind: str) -> list[list[float]]:
        body = {"texts": [text[:_COHERE_CHARS] or " " for text in texts], "input_type": kind, "truncate": "END"}
        vectors = (await self._invoke(body, _Cohere)).embeddings
        if len(vectors) != len(texts):
            raise self._failures.garbage(f"it has {len(vectors)} vectors for {len(texts)} texts")
        return vectors

    async def _titan(self, text: str) -> list[float]:
        body: dict[str, Any] = {"inputText": text[:EMBEDDED_CHARS] or " "}
        if self._dimensions:
            body["dimensions"] = self._dimensions
        return (await self._invoke(body, _Titan)).embedding

    async def _invoke(self, body: dict[str, Any], answer: type[_Answer]) -> _Answer:
        try:
            client = await self._calls.client(self._timeout)
            data = await self._calls.asked(
                lambda: client.invoke_model(modelId=self._id, body=json.dumps(body))["body"].read()
            )
            return answer.model_validate_json(data)
        except EXPECTED as error:
            raise model_error(error, self._failures, self._timeout) from None

    async def aclose(self) -> None:
        """Close the connections. What a thread has begun ends at its time-out at the latest."""
        self._calls.close()
