"""The adapters of model providers with their own client libraries, whose answers come from memory or from a server."""

from __future__ import annotations

import io
import json
from collections import deque
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import openai
import urllib3
from botocore.awsrequest import AWSResponse

from aos.provider import ModelProvider
from aos_activities.models.bedrock import BedrockProvider
from aos_activities.models.openai import OpenAIProvider
from wire import bedrock_converse, openai_chat
from wire.credentials import KEY
from wire.script import Json, Response


@dataclass
class Memory:
    """Answers of a service that is not there, and the requests that it got."""

    answers: deque[Response] = field(default_factory=deque[Response])
    asked: list[Json] = field(default_factory=list[Json])

    def answer(self, path: str, body: Json) -> Response:
        """Return the next answer."""
        return self.answers.popleft()

    def of_openai(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request of the OpenAI library."""
        self.asked.append(json.loads(request.content))
        answer = self.answer(urlsplit(str(request.url)).path, self.asked[-1])
        headers = {"content-type": answer.content_type}
        return httpx2.Response(answer.status, content=b"".join(answer.parts), headers=headers)

    def of_bedrock(self, request: Any, **_: object) -> AWSResponse:
        """Answer a request of boto3."""
        self.asked.append(json.loads(request.body))
        answer = self.answer(urlsplit(str(request.url)).path, self.asked[-1])
        body = io.BytesIO(b"".join(answer.parts))
        raw = urllib3.HTTPResponse(body, status=answer.status, preload_content=False)
        return AWSResponse(request.url, answer.status, cast("Any", {"content-type": answer.content_type}), raw)


def adapter(name: str, memory: Memory) -> tuple[ModelProvider, ModuleType]:
    """Return an adapter that asks `memory`, and the wire format that it speaks."""
    if name == "bedrock":
        bedrock = BedrockProvider(region="eu-central-1", endpoint_url="http://127.0.0.1:1", concurrency=1)
        session = bedrock._calls.session  # pyright: ignore[reportPrivateUsage] - where boto3 lets answers be put in
        session.events.register("before-send.bedrock-runtime", cast("Any", memory.of_bedrock))
        return bedrock, bedrock_converse
    transport = httpx2.AsyncClient(transport=httpx2.MockTransport(memory.of_openai))
    client = openai.AsyncOpenAI(api_key=KEY, base_url="http://127.0.0.1:1/v1", max_retries=0, http_client=transport)
    return OpenAIProvider(api_key=KEY, client=client), openai_chat


def over_http(name: str, url: str) -> tuple[ModelProvider, ModuleType]:
    """Return an adapter that asks the server at `url`, and the wire format that it speaks."""
    if name == "bedrock":
        return BedrockProvider(region="eu-central-1", endpoint_url=url), bedrock_converse
    return OpenAIProvider(api_key=KEY, base_url=f"{url}/v1"), openai_chat
