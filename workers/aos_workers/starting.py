"""Starting workers where the server may be away or busy: they wait for it, and say so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, Plugin
from temporalio.worker import Worker

from aos.connection import PATIENCE, connect, retrying
from aos.errors import Unreachable

_ATTEMPT = timedelta(seconds=10)
_PAUSE = 0.5
_LOOK_SECONDS = 0.01

_log = structlog.get_logger(__name__)


async def connect_in_time(address: str | None, plugins: Sequence[Plugin]) -> Client:
    """Connect, waiting for a server that is away.

    Raises:
        Unreachable: No server answered for `PATIENCE` seconds.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return await connect(address, plugins=plugins)
        except Unreachable as error:
            if time.monotonic() > deadline:
                raise
            _log.warning("waiting_for_temporal", problem=str(error))
        await asyncio.sleep(_PAUSE)


async def until_served(client: Client) -> None:
    """Wait until the server can tell of the namespace, and so can use its database.

    Raises:
        SetupError: There is no such namespace.
        Unreachable: No answer for `PATIENCE` seconds.
    """
    request = DescribeNamespaceRequest(namespace=client.namespace)
    await retrying("", lambda: client.workflow_service.describe_namespace(request, timeout=_ATTEMPT))


async def start_worker(stack: AsyncExitStack, make: Callable[[], Worker]) -> Worker:
    """Start the worker that `make` returns and leave its end to `stack`; make another if the server went away again.

    Raises:
        Unreachable: No worker could be started for `PATIENCE` seconds.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        worker = make()
        try:
            async with AsyncExitStack() as attempt:
                await attempt.enter_async_context(worker)
                # Its first call to the server comes after the entry, and cancels this task where it fails.
                while not worker.is_running:
                    await asyncio.sleep(_LOOK_SECONDS)
                stack.push_async_exit(attempt.pop_all())
            return worker
        except RuntimeError as error:
            _take_back_cancellation()
            problem = str(error).split("\n")[0]
            if time.monotonic() > deadline:
                raise Unreachable("the address in use", problem) from error
            _log.warning("worker_starting_again", problem=problem)
        await asyncio.sleep(_PAUSE)


def _take_back_cancellation() -> None:
    """Take back the request by which a worker that failed ended the block around it, and no other."""
    task = asyncio.current_task()
    if task is not None and task.uncancel() > 0:
        raise asyncio.CancelledError
