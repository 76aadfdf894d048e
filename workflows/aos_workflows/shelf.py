"""The store, as the workflow uses it in the middle of its life.

These are no local activities, though they are quick. The end of a local activity is written down where its task ends,
and not where the workflow hears of it: after a lost task (seen under chaos, with messages lost) a replay hears of it
before signals and updates that came first.
"""

from __future__ import annotations

from temporalio import workflow

from aos_activities.archive import ArchiveActivities, FindReply, Page
from aos_activities.think import Thought
from aos_workflows.options import STORE


async def set_aside(page: Page) -> str:
    """Store a page and return its reference."""
    return await workflow.execute_activity_method(ArchiveActivities.set_aside, page, **STORE)


async def bring_back(ref: str) -> Page:
    """Return a page that was set aside."""
    return await workflow.execute_activity_method(ArchiveActivities.bring_back, ref, **STORE)


async def find_reply(life: str, message_id: str) -> Thought | None:
    """Return the final thought on a message whose reply is no longer in the state."""
    return await workflow.execute_activity_method(
        ArchiveActivities.find_reply, FindReply(life=life, message_id=message_id), **STORE
    )
