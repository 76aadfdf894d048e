"""A workflow that replays in one order only."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow


@workflow.defn
class OneAfterTheOther:
    """Runs activities without end, and takes updates meanwhile."""

    @workflow.run
    async def run(self) -> None:
        while True:
            queue = f"{workflow.info().task_queue}-by-hand"
            await workflow.start_activity("work", task_queue=queue, start_to_close_timeout=timedelta(minutes=1))

    @workflow.update
    async def take(self) -> int:
        return 1

    @workflow.query
    def look(self) -> int:
        return 1
