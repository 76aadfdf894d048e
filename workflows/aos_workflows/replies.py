"""The replies that somebody may still ask for."""

from __future__ import annotations

from pydantic import Field

from aos.conversation import Usage
from aos.message import Reply
from aos.wire import Wire
from aos_activities.think import Thought

KEPT = 1000
CARRIED_BYTES = 6 * 1024


def reply_with(thought: Thought, message_id: str, *, steps: int = 0, usage: Usage | None = None) -> Reply:
    """Return the reply to a message that a final thought is. `usage`: that of all steps, where it is known."""
    return Reply(
        id=message_id,
        status="done",
        text=thought.text,
        output=thought.output,
        ref=thought.ref,
        steps=steps,
        usage=usage or thought.usage,
    )


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

        Those that tell of a failure or an interruption go first, for the store has none of them: it has all answers.
        One that alone is larger makes no room for itself.
        """
        kept = set[str]()
        left = limit
        newest_first = [*self.replies.values()][::-1]
        for reply in sorted(newest_first, key=lambda reply: reply.status == "done"):
            size = len(reply.model_dump_json().encode()) + len(reply.id.encode()) + 4
            if size > limit:
                continue
            left -= size
            if left < 0:
                break
            kept.add(reply.id)
        return ReplyBook(replies={name: reply for name, reply in self.replies.items() if name in kept})
