"""From a command to the server: connecting, waiting with a sign of life, and Temporal's failures in AOS's words."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    from aos.client import AosClient

T = TypeVar("T")

_QUIET = 2.0
"""Seconds that a command may take without saying what it waits for."""
_COMPLETION = 1.0
"""Seconds that a person who pressed the tab key is kept waiting."""


def target(ctx: typer.Context) -> tuple[str | None, str | None]:
    """Return the address and the namespace that were given, each None where it was not."""
    given = ctx.find_root().params
    return given.get("address"), given.get("namespace")


def run(
    ctx: typer.Context, work: Callable[[AosClient], Coroutine[Any, Any, T]], *, about: str = "", doing: str = "waiting"
) -> T:
    """Connect, and return what `work` gives. `about` is the agent in question.

    Raises:
        AosError: Whatever went wrong at the server or the agent.
    """
    with asyncio.Runner() as runner:
        client = connected(ctx, runner)
        return answered(runner, lambda: with_sign_of_life(work(client), doing), about)


def connected(ctx: typer.Context, runner: asyncio.Runner) -> AosClient:
    """Return a client of the server that the global options name."""
    from aos.client import AosClient

    address, namespace = target(ctx)
    return runner.run(AosClient.connect(address, namespace=namespace))


def answered(runner: asyncio.Runner, work: Callable[[], Coroutine[Any, Any, T]], about: str) -> T:
    """Return what `work` gives; what Temporal refuses becomes an error of AOS."""
    from temporalio.client import WorkflowFailureError
    from temporalio.service import RPCError

    from aos.connection import translated
    from aos.errors import AgentError

    try:
        return runner.run(work())
    except RPCError as error:
        if about:
            raise translated(about, error) from error
        raise AgentError(f"the Temporal server refused the call: {error.message}") from error
    except WorkflowFailureError as error:
        raise translated(about, error) from error


async def with_sign_of_life(work: Awaitable[T], doing: str) -> T:
    """Return what `work` gives, and let a person at a terminal see that it goes on."""
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait([task], timeout=_QUIET)
        if not done and sys.stderr.isatty():
            from rich.console import Console

            with Console(stderr=True).status(doing):
                await asyncio.wait([task])
        return await task
    finally:
        task.cancel()


def looked_up(ctx: typer.Context, look: Callable[[AosClient], Coroutine[Any, Any, list[str]]]) -> list[str]:
    """Return the names that `look` finds, for completion: none where the server is slow or away."""
    from temporalio.service import RPCError

    from aos.client import AosClient
    from aos.errors import AosError

    async def names() -> list[str]:
        async with asyncio.timeout(_COMPLETION):
            address, namespace = target(ctx)
            return await look(await AosClient.connect(address, namespace=namespace))

    try:
        return asyncio.run(names())
    except (AosError, RPCError, TimeoutError):
        return []
