"""AOS on a Temporal client, worker or replayer: one plugin that carries all they need to agree on."""

from __future__ import annotations

import atexit
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any, cast

from temporalio.plugin import SimplePlugin
from temporalio.worker import Worker, WorkerConfig

from aos.converter import data_converter
from aos.sandbox import AgentSandbox, agent_sandbox
from aos.task_record import TaskRecord

_CALM_SECONDS = 0.05


class AosPlugin(SimplePlugin):
    """Give it to `Client.connect(plugins=[...])`; workers made with that client have it too.

    Args:
        isolated: Load AOS's own workflow code anew for each agent, so that Temporal's sandbox sees all that it does.
            Tests do so; it takes three times the memory.
    """

    def __init__(self, *, isolated: bool = False) -> None:
        _end_calmly()
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
            "aos.AosPlugin",
            data_converter=data_converter,
            workflow_runner=partial(agent_sandbox, isolated=isolated),
        )

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Give the worker's sandbox the way to look up which workflow tasks the server has."""
        configured = super().configure_worker(config)
        options = cast("dict[str, Any]", configured)
        if isinstance(runner := options["workflow_runner"], AgentSandbox):
            record = TaskRecord(options["client"], options.get("identity") or options["client"].identity)
            configured["workflow_runner"] = replace(runner, record=record)
        return configured

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Run the worker. What its workflows look up, the loop that runs it asks for."""
        runner = cast("dict[str, Any]", worker.config(active_config=True))["workflow_runner"]
        if isinstance(runner, AgentSandbox) and runner.record:
            runner.record.listen()
        await super().run_worker(worker, next)


@cache
def _end_calmly() -> None:
    """Let the threads of Temporal's core finish before the interpreter ends.

    The thread that brings the last answer may still wait for the interpreter's lock when the program is done. An
    interpreter that ends then kills the process (seen with CPython 3.11); a moment in which nobody holds the lock is
    all that the thread needs.
    """
    atexit.register(time.sleep, _CALM_SECONDS)
