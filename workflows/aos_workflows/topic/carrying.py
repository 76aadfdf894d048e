"""What crosses a rollover in a topic's state, and what is put into the store before."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from aos_activities.archive import Page
from aos_workflows import shelf
from aos_workflows.topic.log import Entry, PageAside
from aos_workflows.topic.state import TopicState

WAITING_BYTES = 128 * 1024
"""Most bytes of publications under way that cross a rollover in the state, twice: the oldest, and the newest."""

_PAGE = 500


async def lighten(state: TopicState) -> None:
    """Put into the store what would make the state too large."""
    log = state.log
    number, pages = log.surplus(WAITING_BYTES)
    if pages:
        log.set_aside(number, await _stored(pages), [*state.readers])
    if pages := log.late_surplus(WAITING_BYTES):
        log.set_late_aside(await _stored(pages))
    while old := state.old_dead():
        entries: list[JsonValue] = [letter.model_dump(mode="json") for letter in old[:_PAGE]]
        state.dead_older = await shelf.set_aside(Page(entries=entries, before=state.dead_older))
        del state.dead[: len(entries)]


async def bring_back(state: TopicState, page: PageAside) -> None:
    """Take the next page of what waits back from the store."""
    state.log.bring_back(page, (await shelf.bring_back(page.ref)).entries)


async def _stored(pages: Sequence[Sequence[Entry]]) -> list[PageAside]:
    stored: list[PageAside] = []
    for page in pages:
        entries: list[JsonValue] = [entry.model_dump(mode="json") for entry in page]
        stored.append(PageAside(ref=await shelf.set_aside(Page(entries=entries)), count=len(page)))
    return stored
