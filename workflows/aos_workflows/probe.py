"""The workflow by which a server is measured."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow

from aos_activities.probe import probe_step

_STEP = timedelta(seconds=5)


@workflow.defn(name="AosProbe", sandboxed=False)
class Probe:
    """Lives until it is deleted: a server deletes at once what still runs, and only much later what has ended."""

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def step(self, steps: int, seconds: float, timer: float) -> None:
        """Take up to `steps` steps one after the other in up to `seconds`, beside two timers of `timer` seconds."""
        sleeping = asyncio.create_task(_sleep_twice(timer))
        until = workflow.time() + seconds
        while steps and workflow.time() < until:
            await workflow.execute_activity(probe_step, start_to_close_timeout=_STEP)
            steps -= 1
        await sleeping


async def _sleep_twice(seconds: float) -> None:
    # The first timer on an idle server is in time, however the server is set.
    await workflow.sleep(seconds)
    await workflow.sleep(seconds)
