"""AOS on a Temporal client, worker or replayer: one plugin that carries all they need to agree on."""

from __future__ import annotations

import atexit
import dataclasses
import time
from functools import cache

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

# Modules that the sandbox takes from the process instead of loading them anew for every agent.
_PASSED_THROUGH = (
    # Contracts: loaded anew, their classes would not be those that the converter knows.
    "aos",
    "aos_activities",
    # The workflows' own pure parts: pydantic models take milliseconds to build, which every agent would pay.
    "aos_workflows.mailbox",
    "aos_workflows.migrations",
    "aos_workflows.replies",
    "aos_workflows.schedule",
    "aos_workflows.seen",
    "aos_workflows.state",
    # Libraries that are deterministic as they are used.
    "annotated_types",
    "attrs",
    "cronsim",
    "jsonschema",
    "opentelemetry",
    "pydantic",
    "pydantic_core",
    "referencing",
    "rpds",
    "structlog",
    "zoneinfo",
)


_CALM_SECONDS = 0.05


class AosPlugin(SimplePlugin):
    """Give it to `Client.connect(plugins=[...])`; workers made with that client have it too."""

    def __init__(self) -> None:
        _end_calmly()
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
            "aos.AosPlugin", data_converter=pydantic_data_converter, workflow_runner=_runner
        )


def _runner(runner: WorkflowRunner | None) -> WorkflowRunner:
    if not isinstance(runner, SandboxedWorkflowRunner):
        return runner or SandboxedWorkflowRunner()
    restrictions = runner.restrictions.with_passthrough_modules(*_PASSED_THROUGH)
    return dataclasses.replace(runner, restrictions=restrictions)


@cache
def _end_calmly() -> None:
    """Let the threads of Temporal's core finish before the interpreter ends.

    The thread that brings the last answer may still wait for the interpreter's lock when the program is done. An
    interpreter that ends then kills the process (seen with CPython 3.11); a moment in which nobody holds the lock is
    all that the thread needs.
    """
    atexit.register(time.sleep, _CALM_SECONDS)
