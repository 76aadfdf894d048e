"""The host of tools: describes them, and carries calls of them out."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Callable, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

import structlog
from pydantic import Field
from temporalio import activity
from temporalio.exceptions import ApplicationError

from aos.errors import InvalidInput, RetryableError, TerminalError
from aos.limits import RESULT_INLINE_BYTES, RESULT_VIEW_BYTES, cut_bytes
from aos.store import BlobStore
from aos.tool_contracts import ToolDescription, ToolOutcome, ToolRequest
from aos.tools import Tool, ToolCallInfo, by_name, in_call
from aos.wire import Wire
from aos_activities import telemetry
from aos_activities.heartbeat import beating
from aos_activities.threads import in_thread
from aos_activities.tool_results import as_outcome, as_text

_log = structlog.get_logger(__name__)


class DescribeTools(Wire):
    """Asks for the descriptions of tools, by their names on this task queue."""

    names: list[str] = Field(default_factory=list[str])


class _TookTooLong(Exception):
    """An attempt did not end in its time."""


class ToolHost:
    """Serves `tools` on the task queue `queue`; long results go to `store`.

    Raises:
        InvalidTool: Two tools share a name.
    """

    def __init__(self, tools: Sequence[Tool], queue: str, store: BlobStore) -> None:
        self._tools = by_name(tools)
        self._queue = queue
        self._store = store

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """What a Temporal worker on the host's task queue serves."""
        return [self.describe_tools, self.run_tool]

    @activity.defn(name="describe_tools")
    async def describe_tools(self, request: DescribeTools) -> list[ToolDescription]:
        """Return the descriptions asked for, in their order.

        Raises:
            ApplicationError: `UnknownTool`, not retryable, naming every one that is not served.
        """
        unknown = [name for name in request.names if name not in self._tools]
        if unknown:
            raise ApplicationError("; ".join(map(self._not_served, unknown)), type="UnknownTool", non_retryable=True)
        return [self._tools[name].describe(self._queue) for name in request.names]

    @activity.defn(name="run_tool")
    async def run_tool(self, request: ToolRequest) -> ToolOutcome:
        """Return what the tool answered, or what went wrong in words for the model.

        Raises:
            ApplicationError: The attempt failed and another may follow.
        """
        structlog.contextvars.bind_contextvars(agent=request.agent, message_id=request.message_id)
        tool = self._tools.get(request.tool)
        if tool is None:
            # Another worker of this queue may serve it, as while a new version is rolled out.
            return _give_up_or_retry(self._not_served(request.tool), "UnknownTool", _attempts())
        try:
            arguments = tool.validate(request.arguments)
        except InvalidInput as error:
            return await as_outcome(self._store, str(error), error=True)
        async with beating():
            try:
                return await as_outcome(self._store, as_text(await _call(tool, arguments, request)))
            except TerminalError as error:
                return await as_outcome(self._store, str(error), error=True)
            except BaseException as error:  # a tool that calls sys.exit() must not end the worker
                if _is_cancelled(error):
                    raise
                failure = error
        # Not while `failure` is being handled: what is raised here would carry it along into history, and it may be of
        # any size. What is too large for history would hold the agent up for ever.
        return _failed(tool, request, failure)

    def _not_served(self, name: str) -> str:
        close = get_close_matches(name, self._tools, n=3)
        did_you_mean = f"did you mean {' or '.join(close)}? " if close else ""
        served = ", ".join(sorted(self._tools)) or "none"
        return f"the task queue {self._queue!r} serves no tool {name!r}; {did_you_mean}it serves: {served}"


async def _call(tool: Tool, arguments: dict[str, object], request: ToolRequest) -> object:
    call = ToolCallInfo(
        key=request.key,
        agent=request.agent,
        message_id=request.message_id,
        attempt=activity.info().attempt,
        conversation=request.conversation,
        causation=request.causation,
        task=request.task,
        permissions=request.permissions,
    )
    limit = asyncio.timeout(tool.timeout)
    attributes = {
        telemetry.OPERATION: "execute_tool",
        telemetry.TOOL_NAME: tool.name,
        telemetry.TOOL_CALL_ID: request.key,
        telemetry.AGENT_NAME: request.agent,
    }
    try:
        with in_call(call), telemetry.span(f"execute_tool {tool.name}", {**attributes}):
            async with limit:
                if inspect.iscoroutinefunction(inspect.unwrap(tool.function)):
                    result = tool.function(**arguments)
                else:
                    result = await in_thread(tool.function, **arguments)
                return await result if inspect.isawaitable(result) else result
    except TimeoutError:
        if limit.expired():
            raise _TookTooLong(f"{tool.name} took longer than {tool.timeout:g} s") from None
        raise


def _is_cancelled(error: BaseException) -> bool:
    """Tell a cancellation of this activity from one that the tool brought about itself."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _attempts() -> int:
    policy = activity.info().retry_policy
    return policy.maximum_attempts if policy else 0


def _failed(tool: Tool, request: ToolRequest, error: BaseException) -> ToolOutcome:
    kind = type(error).__name__
    attempts = min(tool.attempts, _attempts() or tool.attempts)
    if isinstance(error, RetryableError):
        return _give_up_or_retry(str(error), kind, attempts, error.retry_after)
    # The traceback goes here as text, because a renderer of exceptions may show local variables, arguments among them.
    _log.error(
        "tool_failed",
        tool=tool.name,
        agent=request.agent,
        message_id=request.message_id,
        key=request.key,
        attempt=activity.info().attempt,
        attempts=attempts,
        error=kind,
        traceback="".join(traceback.format_exception(error))[-RESULT_VIEW_BYTES:],
    )
    if isinstance(error, _TookTooLong):
        return _give_up_or_retry(str(error), "Timeout", attempts)
    return _give_up_or_retry(f"{kind}: {error}" if str(error) else kind, kind, attempts)


def _give_up_or_retry(problem: str, kind: str, attempts: int, retry_after: float | None = None) -> ToolOutcome:
    problem = cut_bytes(problem.encode(errors="replace").decode(), RESULT_INLINE_BYTES)
    if activity.info().attempt >= attempts > 0:
        return ToolOutcome(text=problem, error=True)
    delay = None if retry_after is None else timedelta(seconds=retry_after)
    raise ApplicationError(problem, type=kind, next_retry_delay=delay)
