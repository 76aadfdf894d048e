"""Amazon Bedrock, through the Converse API."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from aos.conversation import Usage
from aos.provider import FinishReason, Listener, ModelRequest, ModelResponse
from aos_activities.models.bedrock_calls import BEDROCK, EXPECTED, BedrockCalls, model_error, parsed
from aos_activities.models.bedrock_wire import Answer, Block, ConverseRequest, Event, Tokens, converse_request
from aos_activities.models.draft import Draft
from aos_activities.models.failures import Failures

if TYPE_CHECKING:
    from botocore.eventstream import EventStream
    from mypy_boto3_bedrock_runtime.client import BedrockRuntimeClient
    from mypy_boto3_bedrock_runtime.type_defs import ConverseStreamOutputTypeDef

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
_FILTERED = {"guardrail_intervened", "content_filtered"}
_MALFORMED = {"malformed_model_output", "malformed_tool_use"}


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
        self._calls = BedrockCalls(
            region=region,
            endpoint_url=endpoint_url,
            name=name,
            connect_timeout=connect_timeout,
            concurrency=concurrency,
        )

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
            client = await self._calls.client(request.timeout)
            if listener is None:
                answer = await self._calls.asked(lambda: client.converse(**sent))
                stop, tokens = _read(Answer.model_validate(answer), draft)
            else:
                stop, tokens = await self._read_stream(client, sent, draft)
        except EXPECTED as error:
            raise model_error(error, failures, request.timeout) from None
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
        self._calls.close()

    async def _read_stream(
        self, client: BedrockRuntimeClient, sent: ConverseRequest, draft: Draft
    ) -> tuple[str, Tokens]:
        """Tell `draft` of each event, and return why the answer ended, empty if it was cut, and its tokens."""
        stop, tokens = "", Tokens()
        events = _Events(lambda: client.converse_stream(**sent)["stream"])
        self._calls.begin(events.read)
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
                parsed(self._read)
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


def _read(answer: Answer, draft: Draft) -> tuple[str, Tokens]:
    for index, block in enumerate(answer.output.message.content):
        _gather(draft, index, block)
    return answer.stopReason, answer.usage


def _gather(draft: Draft, index: int, block: Block) -> None:
    draft.say(block.text or "")
    if use := block.toolUse:
        draft.call(index, call_id=use.toolUseId, name=use.name, arguments="" if use.input is None else use.input)
