"""Blocking functions of applications, each in a thread of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `function` returns, and raise whatever it raises, `SystemExit` included.

    A function that hangs takes no other's place, as it would in a pool, and does not keep the process from ending.
    When the caller is cancelled, the function runs on and its result is dropped.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    outcome: Future[T] = Future()
    context = contextvars.copy_context()

    def body() -> None:
        try:
            outcome.set_result(context.run(function, *args, **kwargs))
        except BaseException as error:  # noqa: BLE001  # handed to the caller, who decides
            outcome.set_exception(error)
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=body, name=getattr(function, "__name__", "tool"), daemon=True).start()
    await ended.wait()
    return outcome.result()
