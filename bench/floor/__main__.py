"""The worker of the floor, with the options of AOS's own.

Usage: python -m bench.floor ADDRESS [--cached N]
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from bench.floor.team import Child, Parent
from bench.floor.workflows import TASK_QUEUE, Bare, Drain, answer, take
from bench.processes import serve_until_told


async def main(address: str, cached: int) -> None:
    """Serve until told to stop."""
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Bare, Drain, Parent, Child],
        activities=[answer, take],
        max_cached_workflows=cached,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=10),
    )
    async with worker:
        await serve_until_told()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--cached", type=int, default=2000)
    given = parser.parse_args()
    asyncio.run(main(given.address, given.cached))
