"""Calls of Amazon Bedrock by boto3: which block, and so have threads; and what their failures mean."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore import exceptions as aws
from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.parsers import ResponseParserError
from pydantic import ValidationError
from urllib3.exceptions import HTTPError, ReadTimeoutError

from aos.errors import ModelError, SetupError
from aos_activities.models.failures import Failures, Remedies, wrong_field

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime.client import BedrockRuntimeClient

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
EXPECTED = (
    aws.ClientError,
    aws.BotoCoreError,
    HTTPError,
    ParserError,
    ResponseParserError,
    ValidationError,
    UnicodeError,
)
"""What calls fail with."""

_Result = TypeVar("_Result")


class BedrockCalls:
    """Makes calls in threads, with the credentials that boto3 finds in its own places.

    Args:
        region: The region in which the models are.
        endpoint_url: Where the API is, in place of the region's own.
        name: What errors call it.
        connect_timeout: Seconds in which a connection must be made.
        concurrency: Calls at one time; more wait.

    Raises:
        SetupError: AWS's own settings on this machine cannot be read, or name a profile that does not exist.
    """

    def __init__(
        self, *, region: str, endpoint_url: str | None, name: str, connect_timeout: float, concurrency: int
    ) -> None:
        try:
            self.session = boto3.Session(region_name=region)
        except aws.BotoCoreError as error:
            raise SetupError(f"{name}: {error}; {BEDROCK.credentials}") from None
        self._endpoint_url = endpoint_url or None
        self._connect_timeout = connect_timeout
        self._concurrency = concurrency
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix=name)
        self._clients: dict[float, BedrockRuntimeClient] = {}
        self._making = threading.Lock()

    async def client(self, timeout: float) -> BedrockRuntimeClient:
        """Return the client for a time-out, which boto3 fixes for each client."""
        # Made in a thread: boto3 takes long for it, and may ask a server for credentials.
        return self._clients.get(timeout) or await self._threaded(lambda: self._client(timeout))

    def _client(self, timeout: float) -> BedrockRuntimeClient:
        with self._making:
            if timeout not in self._clients:
                config = Config(
                    retries={"total_max_attempts": 1},
                    connect_timeout=self._connect_timeout,
                    read_timeout=timeout,
                    max_pool_connections=self._concurrency,
                )
                self._clients[timeout] = self.session.client(
                    "bedrock-runtime", endpoint_url=self._endpoint_url, config=config
                )
            return self._clients[timeout]

    async def asked(self, work: Callable[[], _Result]) -> _Result:
        """Return what a call returns."""
        return await self._threaded(partial(parsed, work))

    def begin(self, work: Callable[[], None]) -> None:
        """Have a thread do something that tells by itself what comes of it."""
        self._threads.submit(work)

    async def _threaded(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Close the connections. What a thread has begun ends at its time-out at the latest."""
        self._threads.shutdown(wait=False)
        for client in self._clients.values():
            client.close()


def parsed(work: Callable[[], _Result]) -> _Result:
    """Return what `work` returns: boto3 trusts that an answer has the shape it should have, and trips if not."""
    try:
        return work()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ResponseParserError(str(error)) from error


def model_error(error: Exception, failures: Failures, timeout: float) -> ModelError:
    """Return what a failure of a call is to an agent."""
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
