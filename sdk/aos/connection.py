"""The way to the Temporal server: connecting, trying again, and its failures as AOS's errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from temporalio.api.errordetails.v1 import WorkflowNotReadyFailure
from temporalio.client import (
    Client,
    Plugin,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.envconfig import ClientConfig
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from aos import errors
from aos.address import kind_of
from aos.errors import (
    AgentError,
    AgentNotFound,
    AgentStopped,
    AosError,
    NoWorker,
    SetupError,
    TeamNotFound,
    TopicNotFound,
    Unreachable,
)
from aos.plugin import AosPlugin
from aos.query_guard import ASK_AGAIN

T = TypeVar("T")

DEFAULT_ADDRESS = "127.0.0.1:7233"
PATIENCE = 60.0
"""Seconds without an answer from the server after which a call gives up."""

_PASSING = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.UNKNOWN,
}
_NOT_FOUND: Mapping[str, type[AgentNotFound]] = {"team": TeamNotFound, "topic": TopicNotFound}
"""What is missing, by the kind of its address."""

_RUN_IS_FULL = "limit for signal events"
_NOBODY_POLLS = "no poller seen"
_UNPROCESSED = "UnprocessedUpdate"
_TRY_AGAIN = (
    ASK_AGAIN,
    # The worker had no time for it: Temporal gives a workflow two seconds at a time.
    "[TMPRL1101]",
    # What the worker was given of the history did not fit what it had of the workflow (seen under chaos, when servers
    # were killed). It has dropped what it had; a workflow that does not fit its history fails its tasks, not a query.
    "[TMPRL1100]",
)
"""What queries fail with that may be made again."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


async def connect(
    address: str | None = None, namespace: str | None = None, *, plugins: Sequence[Plugin] = ()
) -> Client:
    """Connect to a Temporal server, with AOS's plugin and `plugins`.

    What is not given comes from Temporal's own settings: `TEMPORAL_*` and the profile file.

    Raises:
        Unreachable: No server answers there.
    """
    options: dict[str, Any] = {**ClientConfig.load_client_connect_config()}
    options.update({key: value for key, value in (("target_host", address), ("namespace", namespace)) if value})
    options.setdefault("target_host", DEFAULT_ADDRESS)
    try:
        return await Client.connect(**options, plugins=[AosPlugin(), *plugins])
    except (RuntimeError, RPCError) as error:
        raise Unreachable(options["target_host"], str(error).split("\n")[0][:200]) from None


class NoAnswerYet(AgentError):
    """A worker had no answer to a question, time and again; the agent lives, and its work is not touched by that."""


class Passing(Exception):
    """A call that failed and may succeed when it is made again.

    `away`: nothing says that it was taken in. `last`: what it fails with when it has been made again for long enough.
    """

    def __init__(self, error: Exception, last: AosError | None = None) -> None:
        self.last = last
        timed_out = isinstance(error, RPCError) and error.status == RPCStatusCode.DEADLINE_EXCEEDED
        self.away = not timed_out and not isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError)
        super().__init__(str(error))


async def once(name: str, call: Awaitable[T]) -> T:
    """Return what one call about the agent called `name` gives.

    Raises:
        Passing: It may succeed when made again.
        AosError: What the agent or the server refused.
    """
    try:
        return await call
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        if isinstance(error.__cause__, asyncio.CancelledError):
            raise error.__cause__ from None  # It was this task that was cancelled, not the call.
        raise Passing(error) from error
    except RPCError as error:
        raise (Passing(error) if passes(error) else translated(name, error)) from error
    except WorkflowQueryFailedError as error:
        if any(each in error.message for each in _TRY_AGAIN):
            raise Passing(error, NoAnswerYet(f"agent {name!r}: {error.message}")) from error
        raise translated(name, error) from error
    except WorkflowUpdateFailedError as error:
        raise (Passing(error) if _was_left(error) else translated(name, error)) from error
    except WorkflowFailureError as error:
        raise translated(name, error) from error


def _was_left(error: WorkflowUpdateFailedError) -> bool:
    """Whether the update got lost between server and worker, as when one of the two dies: nothing of it is kept."""
    return isinstance(error.cause, ApplicationError) and error.cause.type == _UNPROCESSED


def passes(error: RPCError) -> bool:
    """Whether a call that failed so may succeed when it is made again."""
    # An update that comes as a workflow task fails, for instance one that would have ended the run.
    not_ready = (detail.Is(WorkflowNotReadyFailure.DESCRIPTOR) for detail in error.grpc_status.details)
    # The next run takes signals again; until then nothing comes in that could hold the rollover up.
    full = error.status == RPCStatusCode.INVALID_ARGUMENT and _RUN_IS_FULL in error.message
    return error.status in _PASSING or full or any(not_ready)


async def retrying(name: str, call: Callable[[], Awaitable[T]]) -> T:
    """Return what `call` gives, making it again while the server is away.

    Raises:
        AosError: What the agent or the server refused, or `Unreachable` after `PATIENCE` seconds.
    """
    began, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            return await once(name, call())
        except Passing as error:
            if time.monotonic() - began > PATIENCE:
                away = Unreachable("the address in use", f"no answer for {PATIENCE:g} s, last {error}")
                raise (error.last or away) from error
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def translated(name: str, error: Exception) -> AosError:
    """Return Temporal's failure as the error of AOS that it stands for."""
    if isinstance(error, RPCError):
        if error.status == RPCStatusCode.NOT_FOUND and "namespace" in error.message.lower():
            return SetupError(f"{error.message}; TEMPORAL_NAMESPACE, or Temporal's profile, names the one in use")
        if error.status == RPCStatusCode.NOT_FOUND:
            return _NOT_FOUND.get(kind_of(name), AgentNotFound)(name)
        if error.status == RPCStatusCode.FAILED_PRECONDITION and _NOBODY_POLLS in error.message:
            return NoWorker(name)
        return AgentError(f"agent {name!r}: the Temporal server refused the call: {error.message}")
    cause = error.cause if isinstance(error, (WorkflowUpdateFailedError, WorkflowFailureError)) else None
    cause = cause.cause if isinstance(cause, ActivityError) else cause
    if isinstance(cause, ApplicationError):
        if cause.type == "AcceptedUpdateCompletedWorkflow":
            return AgentStopped(name)
        return _rebuilt(cause)
    return AgentError(f"agent {name!r}: {cause or error}")


def _rebuilt(failure: ApplicationError) -> AosError:
    kind = getattr(errors, failure.type or "", None)
    if not (isinstance(kind, type) and issubclass(kind, AosError)):
        return AgentError(failure.message)
    error = kind.__new__(kind)
    Exception.__init__(error, failure.message)
    for facts in failure.details[:1]:
        if isinstance(facts, Mapping):
            error.__dict__.update(cast("Mapping[str, object]", facts))
    return error
