"""What waiting mail crosses a rollover in the state, and what is put into the store before."""

from __future__ import annotations

from pydantic import JsonValue

from aos_activities.archive import Page
from aos_workflows import shelf
from aos_workflows.mailbox import Mailbox

CARRIED_BYTES = 8 * 1024
"""Most bytes of waiting messages that cross a rollover in the state; the rest waits in the store."""

LATE_BYTES = 64 * 1024
"""Most bytes of messages beside those that come while the rest is put into the store.

Without them a sender who sends whenever it may could put a rollover off for ever: each message would have to be put
into the store in its turn, and the next one would come in that time.
"""


async def lighten(mailbox: Mailbox, limit: int, late: int) -> list[str]:
    """Put messages beyond `limit` bytes into the store, and return their ids.

    `late`: most bytes beside them, of messages that come while this works.
    """
    arrived = mailbox.arrived
    ids: list[str] = []
    while surplus := mailbox.surplus(limit + min(mailbox.size_since(arrived), late)):
        entries: list[JsonValue] = [letter.model_dump(mode="json") for letter in surplus]
        mailbox.set_aside(await shelf.set_aside(Page(entries=entries)), surplus)
        ids[:0] = [letter.message.id for letter in surplus]
    return ids
