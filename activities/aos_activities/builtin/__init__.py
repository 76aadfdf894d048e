"""Tools that AOS itself brings along, served on its own task queue under names without a prefix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aos.tools import Tool
from aos_activities.builtin.clock import current_time, set_timer
from aos_activities.builtin.documents import document_tool, listing_tool
from aos_activities.builtin.fetch import fetch_tool
from aos_activities.builtin.messaging import messaging_tools
from aos_activities.builtin.remembering import remembering_tools
from aos_activities.builtin.topics import topic_tools
from aos_activities.memory.access import MemoryAccess
from aos_activities.topics import TopicAccess

__all__ = ["builtin_tools"]


def builtin_tools(
    topics: TopicAccess, memory: MemoryAccess, documents: Sequence[Path] = (), fetch_hosts: Sequence[str] = ()
) -> list[Tool]:
    """Return the built-in tools.

    Args:
        topics: What `publish`, `subscribe` and `unsubscribe` reach.
        memory: What `remember`, `revise` and `forget` write.
        documents: Folders whose files `read_document` may read; without any it refuses every call.
        fetch_hosts: Hosts that `fetch_url` may ask, as `host` or `host:port`; without any it refuses every call.

    Raises:
        SetupError: A host that cannot be read.
    """
    return [
        current_time,
        set_timer,
        listing_tool(documents),
        document_tool(documents),
        fetch_tool(fetch_hosts),
        *messaging_tools,
        *topic_tools(topics),
        *remembering_tools(memory),
    ]
