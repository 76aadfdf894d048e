"""Activities that are no longer waited for."""

from __future__ import annotations

from typing import Any

from temporalio.workflow import ActivityHandle


def abandon(handle: ActivityHandle[Any]) -> None:
    """Cancel an activity whose result nobody will look at."""
    handle.cancel()
    # Looked at here, or its end would be logged as an error that nobody handled.
    handle.add_done_callback(lambda done: done.cancelled() or done.exception())
