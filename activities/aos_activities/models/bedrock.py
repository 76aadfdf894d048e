"""Amazon Bedrock, through the Converse API."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore import exceptions as aws
from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.parsers import ResponseParserError
from pydantic import ValidationError
from urllib3.exceptions import HTTPError, ReadTimeoutError

from aos.conversation import Usage
from aos.errors import ModelError, SetupError
from aos.provider import FinishReason, Listener, ModelRequest, ModelResponse
from aos_activities.models.bedrock_wire import Answer, Block, ConverseRequest, Event, Tokens, converse_request
from aos_activities.models.draft import Draft
from aos_activities.models.failures import Failures, Remedies, wrong_field

if TYPE_CHECKING:
    from botocore.eventstream import EventStream
    from mypy_boto3_bedrock_runtime.client import BedrockRuntimeClient
    from mypy_boto3_bedrock_runtime.type_defs import ConverseStreamOutputTypeDef

BEDROCK = Remedies(
    credentials="give the worker valid AWS credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) "
    "that may call bedrock:InvokeModel, and enable the model BEDROCK_MODEL_ID in the region AWS_REGION",
    model="BEDROCK_MODEL_ID or the agent's spec must name a model or inference profile of the region AWS_REGION",
    endpoint="it is tried again; if it goes on, check the network, proxies and AWS_REGION",
)

_STATUS = {
    "ThrottlingException": 429,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
    "ModelStreamErrorException": 503,
    "ModelErrorException": 503,
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "UnrecognizedClientException": 401,
    "InvalidSignatureException": 401,
    "MissingAuthenticationTokenException": 401,
    "ExpiredTokenException": 401,
}
"""HTTP status that stands for each exception; within a stream they come without one."""

_NO_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.NoAuthTokenError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.TokenRetrievalError,
    aws.SSOError,
    aws.LoginError,
    aws.ConfigParseError,
)
_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
_FILTERED = {"guardrail_intervened", "content_filtered"}
_MALFORMED = {"malformed_model_output", "malformed_tool_use"}
_EXPECTED = (
    aws.ClientError,
    aws.BotoCoreError,
    HTTPError,
    ParserError,
    ResponseParserError,
    ValidationError,
    UnicodeError,
)

_Result = TypeVar("_Result")


class BedrockProvider:
    """Speaks Converse, with the credentials that boto3 finds in its own places.

    boto3 blocks, so each call has a thread. A call that is cancelled frees its thread with the next byte or at
    its time-out.

    Args:
        region: AWS region of the models.
        endpoint_url: Another address of the service, such as a VPC endpoint.
        name: The part before the colon in `provider:model`.
        connect_timeout: Seconds in which a connection must be made.
        concurrency: Calls at one time; more wait.

    Raises:
        SetupError: AWS's own settings on this machine cannot be read, or name a profile that does not exist.
    """

    def __init__(
        self,
        *,
        region: str,
        endpoint_url: str | None = None,
        name: str = "bedrock",
        connect_timeout: float = 10.0,
        concurrency: int = 64,
    ) -> None:
        self.name = name
        try:
            self._session = boto3.Session(region_name=region)
        except aws.BotoCoreError as error:
            raise SetupError(f"{name}: {error}; {BEDROCK.credentials}") from None
        self._endpoint_url = endpoint_url or None
        self._connect_timeout = connect_timeout
        self._concurrency = concurrency
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix=name)
        self._clients: dict[float, BedrockRuntimeClient] = {}
        self._making = threading.Lock()

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        """Return the model's answer to `request`, telling `listener` of its text as it comes.

        Raises:
            RetryableModelError: It may succeed later.
            TerminalModelError: It cannot succeed as it is.
        """
        failures = Failures(self.name, request.model, BEDROCK)
        sent = converse_request(request, failures)
        draft = Draft(request, listener)
        try:
            # Made in a thread: boto3 takes long for it, and may ask a server for credentials.
            client = self._clients.get(request.timeout) or await self._threaded(lambda: self._client(request.timeout))
            if listener is None:
                stop, tokens = _read(Answer.model_validate(await self._asked(lambda: client.converse(**sent))), draft)
            else:
                stop, tokens = await self._read_stream(client, sent, draft)
        except _EXPECTED as error:
            raise _model_error(error, failures, request.timeout) from None
        if stop in _FILTERED:
            raise failures.filtered()
        if stop in _MALFORMED:
            raise failures.garbage(stop)
        if not stop:
            raise failures.cut()
        cached = tokens.cacheReadInputTokens
        usage = Usage(
            input_tokens=tokens.inputTokens + cached + tokens.cacheWriteInputTokens,
            output_tokens=tokens.outputTokens,
            cached_tokens=cached,
        )
        return draft.response(_FINISH.get(stop, "stop"), usage, request.model)

    async def aclose(self) -> None:
        """Close the connections. What a thread has begun ends at its time-out at the latest."""
        self._threads.shutdown(wait=False)
        for client in self._clients.values():
            client.close()

    async def _read_stream(
        self, client: BedrockRuntimeClient, sent: ConverseRequest, draft: Draft
    ) -> tuple[str, Tokens]:
        """Tell `draft` of each event, and return why the answer ended, empty if it was cut, and its tokens."""
        stop, tokens = "", Tokens()
        events = _Events(lambda: client.converse_stream(**sent)["stream"])
        self._threads.submit(events.read)
        try:
            while found := await events.come():
                for raw in found:
                    event = Event.model_validate(raw)
                    if event.contentBlockStart:
                        _gather(draft, event.contentBlockStart.contentBlockIndex, event.contentBlockStart.start)
                    if event.contentBlockDelta:
                        _gather(draft, event.contentBlockDelta.contentBlockIndex, event.contentBlockDelta.delta)
                    if event.messageStop:
                        stop = event.messageStop.stopReason
                    if event.metadata:
                        tokens = event.metadata.usage
        finally:
            events.drop()
        return stop, tokens

    def _client(self, timeout: float) -> BedrockRuntimeClient:
        """Return the client for a time-out, which boto3 fixes for each client."""
        with self._making:
            if timeout not in self._clients:
                config = Config(
                    retries={"total_max_attempts": 1},
                    connect_timeout=self._connect_timeout,
                    read_timeout=timeout,
                    max_pool_connections=self._concurrency,
                )
                self._clients[timeout] = self._session.client(
                    "bedrock-runtime", endpoint_url=self._endpoint_url, config=config
                )
            return self._clients[timeout]

    async def _asked(self, work: Callable[[], _Result]) -> _Result:
        return await self._threaded(partial(_parsed, work))

    async def _threaded(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


class _Events:
    """The events of an answer, which one thread reads, and which the event loop takes as many at a time as have come.

    To go to a thread and back for each costs more than all else that is done with it.
    """

    def __init__(self, ask: Callable[[], EventStream[ConverseStreamOutputTypeDef]]) -> None:
        self._ask = ask
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._guard = threading.Lock()
        self._found: list[object] = []
        self._error: Exception | None = None
        self._ended = False
        self._dropped = False

    def read(self) -> None:
        """Read to the end, or until what comes is wanted no more. This blocks."""
        try:
            if not self._dropped:
                _parsed(self._read)
        except Exception as error:  # noqa: BLE001 - raised where the events are taken
            self._error = error
        self._tell([], ended=True)

    def _read(self) -> None:
        with closing(self._ask()) as stream:
            for event in stream:
                if self._dropped:
                    return
                self._tell([event])

    def _tell(self, events: list[object], *, ended: bool = False) -> None:
        with self._guard:
            told = bool(self._found)
            self._found += events
            self._ended = ended
        if not told:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(self._news.set)

    async def come(self) -> list[object]:
        """Wait for events, and return those that have come; none at the end.

        Raises:
            Exception: The answer broke off.
        """
        while True:
            await self._news.wait()
            with self._guard:
                found, self._found = self._found, []
                if self._ended:
                    break
                self._news.clear()
            if found:
                return found
        if not found and self._error:
            raise self._error
        return found

    def drop(self) -> None:
        """Have the thread stop with the next event, or at its time-out."""
        self._dropped = True


def _parsed(work: Callable[[], _Result]) -> _Result:
    """Return what `work` returns: boto3 trusts that an answer has the shape it should have, and trips if not."""
    try:
        return work()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ResponseParserError(str(error)) from error


def _read(answer: Answer, draft: Draft) -> tuple[str, Tokens]:
    for index, block in enumerate(answer.output.message.content):
        _gather(draft, index, block)
    return answer.stopReason, answer.usage


def _gather(draft: Draft, index: int, block: Block) -> None:
    draft.say(block.text or "")
    if use := block.toolUse:
        draft.call(index, call_id=use.toolUseId, name=use.name, arguments="" if use.input is None else use.input)


def _model_error(error: Exception, failures: Failures, timeout: float) -> ModelError:
    match error:
        case aws.ClientError():
            return _refused(error, failures)
        case aws.ReadTimeoutError() | ReadTimeoutError():
            return failures.timed_out(timeout)
        case aws.HTTPClientError() | aws.ConnectionError() | aws.IncompleteReadError() | HTTPError():
            return failures.unreachable(str(error))
        case ValidationError():
            return failures.garbage(wrong_field(error))
        case ParserError() | ResponseParserError() | UnicodeError():
            return failures.garbage(str(error))
        case _ if isinstance(error, _NO_CREDENTIALS):
            return failures.no_credentials(str(error))
        case _:
            return failures.impossible(str(error), BEDROCK.model)


def _refused(error: aws.ClientError, failures: Failures) -> ModelError:
    said = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    code = said.get("Code", "")
    # Within a stream the names begin with a small letter.
    status = _STATUS.get(code[:1].upper() + code[1:]) or metadata.get("HTTPStatusCode", 500)
    return failures.refused(status, f"{code}: {said.get('Message', '')}", code, metadata.get("HTTPHeaders"))
