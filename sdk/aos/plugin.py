"""AOS on a Temporal client, worker or replayer: one plugin that carries all they need to agree on."""

from __future__ import annotations

import atexit
import time
from functools import cache, partial

from temporalio.plugin import SimplePlugin

from aos.converter import data_converter
from aos.sandbox import agent_sandbox

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


@cache
def _end_calmly() -> None:
    """Let the threads of Temporal's core finish before the interpreter ends.

    The thread that brings the last answer may still wait for the interpreter's lock when the program is done. An
    interpreter that ends then kills the process (seen with CPython 3.11); a moment in which nobody holds the lock is
    all that the thread needs.
    """
    atexit.register(time.sleep, _CALM_SECONDS)
