"""OpenTelemetry for a worker process, where the settings ask for it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from temporalio.client import Plugin

from aos_workers.settings import Settings


@contextmanager
def telemetry(settings: Settings) -> Generator[list[Plugin]]:
    """Export spans and metrics until the block ends, and give the plugins that a Temporal client needs for it."""
    if settings.telemetry == "off":
        yield []
        return
    # The exporters take a tenth of a second to load, which a worker that needs none should not pay at its start.
    from aos_workers.exporting import exporting

    with exporting(settings) as plugins:
        yield plugins
