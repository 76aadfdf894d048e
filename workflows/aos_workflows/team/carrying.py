"""What crosses a rollover in a team's state, and what is put into the store before."""

from __future__ import annotations

from pydantic import JsonValue
from temporalio import workflow

from aos.message import Reply
from aos_activities.archive import Page
from aos_activities.keeping import KeepingActivities, KeepReplies
from aos_workflows import carrying, shelf
from aos_workflows.options import STORE
from aos_workflows.team.finished import CARRIED_BYTES, KEPT
from aos_workflows.team.state import TeamState
from aos_workflows.team.task import TEXT_BYTES

LINES_BYTES = 64 * 1024
"""Most bytes of what was said that cross a rollover, for all tasks under way together; of each, some do."""

LEAST_LINES = 4 * 1024

_PAGE = 500
_REPLIES_BYTES = 512 * 1024


async def lighten(state: TeamState) -> None:
    """Put into the store what would make the state too large."""
    await carrying.lighten(state.mailbox, carrying.CARRIED_BYTES, carrying.LATE_BYTES)
    await _set_lines_aside(state)
    await _set_finished_aside(state)


async def _set_lines_aside(state: TeamState) -> None:
    names = [member.name for member in state.spec.members]
    limit = max(LEAST_LINES, LINES_BYTES // max(1, len(state.tasks)))
    for task in [*state.tasks.values()]:
        if lines := task.surplus(names, limit):
            entries: list[JsonValue] = [line.model_dump(mode="json") for line in lines]
            task.set_aside(await shelf.set_aside(Page(entries=entries, before=task.older)), lines)
        if len(task.whole) > TEXT_BYTES:
            task.whole = ""  # Its line has the start of it, and its reference.


async def _set_finished_aside(state: TeamState) -> None:
    while whole := [finished for finished in state.finished if not finished.page][:_PAGE]:
        entries: list[JsonValue] = [finished.model_dump(mode="json") for finished in whole]
        state.older = await shelf.set_aside(Page(entries=entries, before=state.older))
        aside = {finished.id: finished.shortened(state.older) for finished in whole}
        state.finished = [aside.get(finished.id, finished) for finished in state.finished]
    room, kept = CARRIED_BYTES, 0
    for finished in reversed(state.finished[-KEPT:]):
        room -= len(finished.model_dump_json().encode())
        if room < 0:
            break
        kept += 1
    del state.finished[: len(state.finished) - kept]


async def keep_replies(state: TeamState) -> None:
    """Put the replies for which the state has no room into the store, where those are found who ask again."""
    kept = set[str]()
    while missing := _left_behind(state, kept):
        batch = _fitting(missing)
        await workflow.execute_activity_method(
            KeepingActivities.keep_replies, KeepReplies(life=state.life, replies=batch), **STORE
        )
        kept |= {reply.id for reply in batch}


def _left_behind(state: TeamState, kept: set[str]) -> list[Reply]:
    carried = state.replies.carried().replies
    return [reply for reply in state.replies.replies.values() if reply.id not in carried and reply.id not in kept]


def _fitting(replies: list[Reply]) -> list[Reply]:
    room, count = _REPLIES_BYTES, 0
    while count < len(replies) and (room := room - len(replies[count].model_dump_json().encode())) >= 0:
        count += 1
    return replies[: max(1, count)]
