"""Listening to a reply while it is written: its text travels in the heartbeats of the model activity."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from pydantic import ValidationError
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from aos.streaming import PartialReply

_PAUSE = 0.1


async def partial_replies(
    handle: WorkflowHandle[Any, Any], message_id: str, until: asyncio.Task[Any]
) -> AsyncIterator[PartialReply]:
    """Yield the text of the reply to a message each time it has grown, until the task is done."""
    length = 0
    while not until.done():
        await asyncio.wait([until], timeout=_PAUSE)
        partial = await _look(handle, message_id)
        if partial and partial.length != length:
            length = partial.length
            yield partial


async def _look(handle: WorkflowHandle[Any, Any], message_id: str) -> PartialReply | None:
    try:
        description = await handle.describe()
    except RPCError:
        return None
    for pending in description.raw_description.pending_activities:
        for payload in pending.heartbeat_details.payloads:
            try:
                partial = PartialReply.model_validate_json(payload.data)
            except ValidationError:
                continue
            if message_id in partial.answers:
                return partial
    return None
