"""Reading back from the store, for clients that cannot reach it: a short workflow, so that no agent's history grows."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import VersioningBehavior

from aos.read_back import READ_BACK_WORKFLOW, ReadBackRequest, ReadBackResult
from aos_activities.archive import ArchiveActivities

_LIMIT = timedelta(minutes=1)


@workflow.defn(name=READ_BACK_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class ReadBack:
    """Returns what one read of the store gives."""

    @workflow.run
    async def run(self, request: ReadBackRequest) -> ReadBackResult:
        """Read, and end."""
        result = ReadBackResult()
        if request.transcript:
            result.transcript = await workflow.execute_activity_method(
                ArchiveActivities.read_transcript, request.transcript, schedule_to_close_timeout=_LIMIT
            )
        if request.blob:
            result.blob = await workflow.execute_activity_method(
                ArchiveActivities.read_blob, request.blob, schedule_to_close_timeout=_LIMIT
            )
        return result
