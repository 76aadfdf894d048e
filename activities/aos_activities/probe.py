"""The activity by which a server is measured."""

from __future__ import annotations

from temporalio import activity


@activity.defn(name="aos_probe_step")
async def probe_step() -> None:
    """Do nothing: the time that a step takes is the server's and the worker's own."""
