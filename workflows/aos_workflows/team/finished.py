"""What is kept of a task that is over."""

from __future__ import annotations

from pydantic import Field, JsonValue

from aos.limits import clip
from aos.message import Reply
from aos.team_views import TaskLine, TaskReport, TaskView
from aos.wire import Wire

KEPT = 50
"""Tasks that are over of which a team knows by itself; what it knows of the others lies in the store."""

CARRIED_BYTES = 5 * 1024
"""Most bytes of them that cross a rollover in the state."""


class Finished(Wire):
    """A task that is over. After a rollover `lines` are in the store, in `page`, and `reply` is among the replies."""

    view: TaskView
    reply: Reply | None = None
    lines: list[TaskLine] = Field(default_factory=list[TaskLine])
    older: str = ""
    ledger: JsonValue = None
    page: str = ""

    @property
    def id(self) -> str:
        """The id of the task."""
        return self.view.id

    def report(self) -> TaskReport:
        """Return what people are shown of it."""
        reply = self.reply
        return TaskReport(
            task=self.view,
            result=reply.text if reply else self.view.result,
            result_ref=reply.ref if reply else "",
            output=reply.output if reply else None,
            lines=self.lines,
            older=self.page or self.older,
            ledger=self.ledger,
        )

    def shortened(self, page: str) -> Finished:
        """Return it as it crosses a rollover: the whole lies in the store as `page`."""
        return self.model_copy(update={"reply": None, "lines": [], "ledger": None, "page": page})


def preview(text: str) -> str:
    """Return the start of a text, for a list."""
    return clip(text) if text else ""
