"""OpenAI, Azure OpenAI, and every server that speaks OpenAI's Chat Completions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, contextmanager
from typing import cast

import httpx2
import openai
from pydantic import ValidationError

from aos.conversation import Usage
from aos.errors import ModelError, SetupError
from aos.provider import FinishReason, Listener, ModelRequest, ModelResponse
from aos_activities.models.draft import Draft
from aos_activities.models.failures import Failures, Remedies, wrong_field
from aos_activities.models.openai_wire import Completion, Dialect, Said, Tokens, body

OPENAI_URL = "https://api.openai.com/v1"

OPENAI = Remedies(
    credentials="set OPENAI_API_KEY to a key that is valid for this model",
    model="name a model that this key may use, as 'openai:<model>', in the agent's spec or in AOS_MODEL",
    endpoint="it is tried again; if it goes on, check the network, proxies and, where it is set, OPENAI_BASE_URL",
)
AZURE = Remedies(
    credentials="set AZURE_OPENAI_API_KEY to a key of the resource that AZURE_OPENAI_ENDPOINT names",
    model="AZURE_OPENAI_MODEL or the agent's spec must name a deployment (not a model) of the resource in "
    "AZURE_OPENAI_ENDPOINT, and AZURE_OPENAI_API_VERSION a version that it serves",
    endpoint="it is tried again; if it goes on, check the network, proxies and AZURE_OPENAI_ENDPOINT",
)

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}


class OpenAIProvider:
    """Speaks Chat Completions.

    Args:
        name: The part before the colon in `provider:model`.
        api_key: Empty for a server that wants none.
        base_url: Where the API is, with its version: `https://host/v1`.
        connect_timeout: Seconds in which a connection must be made.
        remedies: Which settings set things right, for the errors.
        client: A client that is set up already, in place of `base_url`.

    Raises:
        SetupError: The key is no key.
    """

    def __init__(
        self,
        *,
        name: str = "openai",
        api_key: str,
        base_url: str = OPENAI_URL,
        connect_timeout: float = 10.0,
        remedies: Remedies = OPENAI,
        client: openai.AsyncOpenAI | None = None,
    ) -> None:
        self.name = name
        key = checked_key(api_key, remedies)
        self._client = client or openai.AsyncOpenAI(api_key=key or "none", base_url=base_url, max_retries=0)
        self._secrets = (key,) if key else ()
        self._connect_timeout = connect_timeout
        self._remedies = remedies
        self._dialects: dict[str, Dialect] = {}

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        """Return the model's answer to `request`, telling `listener` of its text as it comes.

        A server that refuses a field which another spelling avoids is asked again without it, and the model's
        dialect is remembered.

        Raises:
            RetryableModelError: It may succeed later.
            TerminalModelError: It cannot succeed as it is.
        """
        failures = Failures(self.name, request.model, self._remedies, self._secrets)
        while True:
            dialect = self._dialects.get(request.model, Dialect())
            with told_as(failures, request.timeout):
                try:
                    return await self._complete(request, dialect, listener, failures)
                except openai.BadRequestError as error:
                    other = dialect.without(error.message)
                    if other is None:
                        raise
                    self._dialects[request.model] = other

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _complete(
        self, request: ModelRequest, dialect: Dialect, listener: Listener | None, failures: Failures
    ) -> ModelResponse:
        draft = Draft(request, listener)
        usage, model, finish = Tokens(), request.model, ""
        async with aclosing(self._parts(request, dialect, stream=listener is not None)) as parts:
            async for part in parts:
                usage, model = part.usage or usage, part.model or model
                for choice in part.choices[:1]:
                    _gather(draft, choice.message or choice.delta, whole=choice.message is not None)
                    # Some servers leave the reason out of an answer that came whole.
                    finish = choice.finish_reason or finish or ("stop" if choice.message else "")
        if finish == "content_filter":
            raise failures.filtered()
        if not finish:
            raise failures.cut() if listener else failures.garbage("it holds no message")
        tokens = Usage(
            input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens, cached_tokens=usage.cached
        )
        return draft.response(_FINISH.get(finish, "stop"), tokens, model)

    async def _parts(
        self, request: ModelRequest, dialect: Dialect, *, stream: bool
    ) -> AsyncGenerator[Completion, None]:
        """Yield the chunks of a streamed answer, or the whole one."""
        headers = {"Idempotency-Key": request.key} if request.key and request.key.isascii() else {}
        answer = await self._client.post(
            "/chat/completions",
            body=body(request, dialect, stream=stream),
            cast_to=object,
            options={"timeout": openai.Timeout(request.timeout, connect=self._connect_timeout), "headers": headers},
            stream=stream,
            stream_cls=openai.AsyncStream[object],
        )
        if not isinstance(answer, openai.AsyncStream):
            yield Completion.model_validate(answer)
            return
        async with cast("openai.AsyncStream[object]", answer) as chunks:
            async for chunk in chunks:
                yield Completion.model_validate(chunk)


class AzureOpenAIProvider(OpenAIProvider):
    """Speaks to the deployments of an Azure OpenAI resource; a deployment's name stands where a model's does.

    Args:
        endpoint: `https://<resource>.openai.azure.com`.
        api_key: A key of the resource.
        api_version: Version of the API, for instance `2024-10-21`.
        name: The part before the colon in `provider:model`.
        connect_timeout: Seconds in which a connection must be made.

    Raises:
        SetupError: The key is no key, or there is none.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        api_key: str,
        api_version: str,
        name: str = "azure-openai",
        connect_timeout: float = 10.0,
    ) -> None:
        key = checked_key(api_key, AZURE)
        if not key:
            raise SetupError(f"the API key is empty; {AZURE.credentials}")
        client = openai.AsyncAzureOpenAI(azure_endpoint=endpoint, api_key=key, api_version=api_version, max_retries=0)
        super().__init__(name=name, api_key=key, connect_timeout=connect_timeout, remedies=AZURE, client=client)


def checked_key(key: str, remedies: Remedies) -> str:
    """Return an API key.

    Raises:
        SetupError: It is none.
    """
    key = key.strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SetupError(f"the API key has characters that no key has; {remedies.credentials}")
    return key


def _gather(draft: Draft, said: Said | None, *, whole: bool) -> None:
    if said is None:
        return
    draft.say(said.content or said.refusal or "")
    for position, call in enumerate(said.tool_calls or []):
        arguments = "" if call.function.arguments is None else call.function.arguments
        # The calls of a whole answer are whole, even where several say that they are the first.
        index = position if whole or call.index is None else call.index
        draft.call(index, call_id=call.id or "", name=call.function.name or "", arguments=cast(object, arguments))


@contextmanager
def told_as(failures: Failures, timeout: float) -> Generator[None]:
    """Raise what a call fails with as what it is to an agent.

    Raises:
        RetryableModelError: It may succeed later.
        TerminalModelError: It cannot succeed as it is.
    """
    try:
        yield
    except httpx2.TransportError as error:
        # The library lets it through where the connection breaks while it reads what an error says.
        raise failures.unreachable(str(error)) from None
    except openai.APIError as error:
        raise _model_error(error, failures, timeout) from None
    except ValidationError as error:
        raise failures.garbage(wrong_field(error)) from None
    except (ValueError, RecursionError) as error:
        # No JSON, no text, or a number that Python refuses to read.
        raise failures.garbage(str(error)) from None


def _model_error(error: openai.APIError, failures: Failures, timeout: float) -> ModelError:
    match error:
        case openai.APIStatusError():
            return _status_error(error, failures)
        case openai.APITimeoutError():
            return failures.timed_out(timeout)
        case openai.APIConnectionError():
            return failures.unreachable(str(error.__cause__ or error.message))
        case _:
            # An error in the middle of a stream has no status; only its code says what it is.
            status = 400 if error.type == "invalid_request_error" else 500
            return failures.refused(status, error.message, error.code or "")


def _status_error(error: openai.APIStatusError, failures: Failures) -> ModelError:
    return failures.refused(error.status_code, error.message, error.code or "", error.response.headers)
