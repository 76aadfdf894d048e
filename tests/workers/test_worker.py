"""The worker's own settings, of which a user sees nothing until they are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from temporalio.testing import WorkflowEnvironment
from temporalio.worker import PollerBehaviorSimpleMaximum

from aos_workers.home import Home
from aos_workers.settings import Settings
from aos_workers.worker import aos_worker, make_parts

PARTITIONS = 4
"""Over which a server spreads a task queue, unless it is told otherwise."""


async def test_the_queue_is_polled_at_least_once_for_each_partition_that_it_may_have(
    temporal: WorkflowEnvironment, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path)
    parts = make_parts(settings, Home(tmp_path))
    worker = aos_worker(temporal.client, settings, parts, search_attributes=False)
    config = cast("dict[str, object]", worker.config())
    polls, share = config["workflow_task_poller_behavior"], config["nonsticky_to_sticky_poll_ratio"]
    assert isinstance(polls, PollerBehaviorSimpleMaximum) and isinstance(share, float)
    assert PARTITIONS <= int(polls.maximum * share) <= polls.maximum - PARTITIONS
