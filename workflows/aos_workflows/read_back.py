"""Reading back from the store, for clients that cannot reach it: a short workflow, so that no agent's history grows."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy, VersioningBehavior

from aos.limits import SPEC_BYTES
from aos.read_back import READ_BACK_WORKFLOW, ReadBackRequest, ReadBackResult
from aos_activities.archive import ArchiveActivities
from aos_workflows.inbound import NOTHING, read_or_refuse

_LIMIT = timedelta(minutes=1)
_RETRIES = RetryPolicy(non_retryable_error_types=["BlobMissing"])


@workflow.defn(name=READ_BACK_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class ReadBack:
    """Returns what one read of the store gives."""

    @workflow.run
    async def run(self, given: RawValue = NOTHING) -> ReadBackResult:
        """Read, and end."""
        request = read_or_refuse(ReadBackRequest, "read", given, SPEC_BYTES)
        result = ReadBackResult()
        if request.transcript:
            result.transcript = await workflow.execute_activity_method(
                ArchiveActivities.read_transcript,
                request.transcript,
                schedule_to_close_timeout=_LIMIT,
                retry_policy=_RETRIES,
            )
        if request.blob:
            result.blob = await workflow.execute_activity_method(
                ArchiveActivities.read_blob, request.blob, schedule_to_close_timeout=_LIMIT, retry_policy=_RETRIES
            )
        return result
