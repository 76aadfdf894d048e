"""The replies that somebody may still ask for."""

from __future__ import annotations

from pydantic import Field

from aos.message import Reply
from aos.wire import Wire

KEPT = 1000
CARRIED_BYTES = 6 * 1024


class ReplyBook(Wire):
    """The newest replies by message id. Older ones are found in the store."""

    replies: dict[str, Reply] = Field(default_factory=dict[str, Reply])

    def keep(self, reply: Reply) -> None:
        """Add a reply, and let go of the oldest when there are too many."""
        self.replies[reply.id] = reply
        if len(self.replies) > KEPT:
            del self.replies[next(iter(self.replies))]

    def get(self, message_id: str) -> Reply | None:
        """Return the reply to a message, if it is kept."""
        return self.replies.get(message_id)

    def carried(self, limit: int = CARRIED_BYTES) -> ReplyBook:
        """Return the newest replies that fit into `limit` bytes, for the next run of the workflow.

        One that alone is larger makes no room for itself: the store has what is long.
        """
        kept: list[Reply] = []
        left = limit
        for reply in reversed(self.replies.values()):
            size = len(reply.model_dump_json()) + len(reply.id) + 4
            if size > limit:
                continue
            left -= size
            if left < 0:
                break
            kept.append(reply)
        return ReplyBook(replies={reply.id: reply for reply in reversed(kept)})
