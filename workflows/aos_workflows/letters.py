"""Dead letters: kept whole in the store, so that they can be taken in once more, or dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pydantic import JsonValue
from temporalio import workflow

from aos.control import Letters
from aos.message import CHAIN, Message
from aos.views import DeadLetter, DeathKind, LettersSettled
from aos_activities.archive import Page
from aos_workflows import shelf
from aos_workflows.dead import Dead

PAGE_LETTERS = 500
"""Dead letters that one page of the store has."""

UNKEPT_BYTES = 256 * 1024
"""Messages of dead letters that are put into the store together."""

_UNKNOWN = "there is no dead letter of this id"
_NOT_WHOLE = "it cannot be replayed: it could not be read, or was told whole to nobody"


class DeadOffice:
    """The dead letters of an agent or a team.

    Args:
        state: The agent, or the team.
        take_in: Takes a replayed message in, or sends it to whom it is for.
    """

    def __init__(self, state: Dead, take_in: Callable[[Message], None]) -> None:
        self._state = state
        self._take_in = take_in
        self.lock = asyncio.Lock()
        """Held while letters move between state and store."""

    def bury(self, message: Message, reason: str, kind: DeathKind) -> None:
        """Make a dead letter of a whole message. It is put into the store at the next `keep`."""
        self._state.bury(
            DeadLetter.of(
                id=message.id,
                reason=reason,
                text=message.text,
                sender=message.sender,
                at=_now(),
                kind=kind,
                replayable=True,
            )
        )
        self._state.unkept.append(message)

    async def keep(self) -> None:
        """Put the messages of new dead letters into the store."""
        async with self.lock:
            while unkept := self._state.unkept:
                page = _first(unkept, UNKEPT_BYTES)
                ref = await shelf.set_aside(page_of(page))
                self._state.found_kept([message.id for message in page], ref)
                del self._state.unkept[: len(page)]

    async def lighten(self) -> None:
        """Put the messages of new dead letters into the store, and the older dead letters."""
        await self.keep()
        async with self.lock:
            while old := self._state.old_dead():
                entries: list[JsonValue] = [letter.model_dump(mode="json") for letter in old[:PAGE_LETTERS]]
                self._state.dead_older = await shelf.set_aside(Page(entries=entries, before=self._state.dead_older))
                del self._state.dead[: len(entries)]

    async def settle(self, wanted: Letters, *, replay: bool) -> LettersSettled:
        """Take dead letters in once more, or drop them. Those that are gone from the list count no longer."""
        await self.keep()
        async with self.lock:
            state, settled = self._state, LettersSettled()
            older = await self._older()
            letters = [letter for page in older for letter in page] + state.dead
            chosen = [letter for letter in letters if wanted.all or letter.id in set(wanted.ids)]
            settled.left.update({name: _UNKNOWN for name in wanted.ids if name not in {each.id for each in chosen}})
            for letter in chosen:
                message = await _whole(letter) if replay else None
                if replay and message is None:
                    settled.left[letter.id] = _NOT_WHOLE
                    continue
                settled.done[letter.id] = self._replay(message) if message else ""
            gone = set(settled.done)
            state.dead_count -= sum(letter.id in gone for letter in letters)
            state.dead = [letter for letter in state.dead if letter.id not in gone]
            await self._rewrite(older, gone)
            return settled

    def _replay(self, message: Message) -> str:
        fresh = str(workflow.uuid4())
        again = message.model_copy(
            update={
                "id": fresh,
                "causation": [*message.causation, message.id][-CHAIN:],
                # Its place and its time are over, and whoever asked was told that it failed.
                "sequence": None,
                "deadline": None,
                "reply_to": "",
                "waiting": [],
            }
        )
        self._take_in(again)
        return fresh

    async def _older(self) -> list[list[DeadLetter]]:
        """Return the pages of older letters, the oldest first."""
        pages: list[list[DeadLetter]] = []
        ref = self._state.dead_older
        while ref:
            page = await shelf.bring_back(ref)
            pages.insert(0, [DeadLetter.model_validate(entry) for entry in page.entries])
            ref = page.before
        return pages

    async def _rewrite(self, pages: Sequence[Sequence[DeadLetter]], gone: set[str]) -> None:
        if not any(letter.id in gone for page in pages for letter in page):
            return
        before = ""
        for page in pages:
            entries: list[JsonValue] = [letter.model_dump(mode="json") for letter in page if letter.id not in gone]
            if entries:
                before = await shelf.set_aside(Page(entries=entries, before=before))
        self._state.dead_older = before


def page_of(messages: Sequence[Message]) -> Page:
    """Return whole messages as a page for the store."""
    return Page(entries=[message.model_dump(mode="json") for message in messages])


async def _whole(letter: DeadLetter) -> Message | None:
    if not letter.replayable or not letter.ref:
        return None
    entries = [Message.model_validate(entry) for entry in (await shelf.bring_back(letter.ref)).entries]
    return next((message for message in entries if message.id == letter.id), None)


def _first(messages: Sequence[Message], limit: int) -> list[Message]:
    page: list[Message] = []
    for message in messages:
        limit -= len(message.model_dump_json())
        if page and limit < 0:
            break
        page.append(message)
    return page


def _now() -> datetime:
    return datetime.fromtimestamp(workflow.time(), UTC)
