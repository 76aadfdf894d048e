"""Using shared memory, for clients that cannot reach it: a short workflow for each thing that is done."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy, VersioningBehavior

from aos.memory_use import REQUEST_BYTES, USE_MEMORY_WORKFLOW, MemoryRequest, MemoryResult
from aos_activities.memory.using import MemoryActivities
from aos_workflows.inbound import NOTHING, read_or_refuse

_ATTEMPT = timedelta(seconds=30)
_LIMIT = timedelta(minutes=5)
"""How long it is tried: a database that is away for a minute is waited for."""
_RETRIES = RetryPolicy(maximum_interval=timedelta(seconds=5))


@workflow.defn(name=USE_MEMORY_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class UseMemory:
    """Returns what came of one request."""

    @workflow.run
    async def run(self, given: RawValue = NOTHING) -> MemoryResult:
        """Do it, and end."""
        request = read_or_refuse(MemoryRequest, "request", given, REQUEST_BYTES)
        return await workflow.execute_activity_method(
            MemoryActivities.use_memory,
            request,
            start_to_close_timeout=_ATTEMPT,
            schedule_to_close_timeout=_LIMIT,
            retry_policy=_RETRIES,
        )
