"""What waiting mail crosses a rollover: little, and no sender can put the rollover off."""

from __future__ import annotations

import pytest

from aos.message import Message
from aos_activities.archive import Page
from aos_workflows import shelf
from aos_workflows.carrying import lighten
from aos_workflows.mailbox import Mailbox

LIMIT, LATE = 4_000, 8_000


def mailbox_of(count: int) -> Mailbox:
    mailbox = Mailbox()
    for number in range(count):
        mailbox.offer(Message(id=f"m{number}", text="x" * 900), number)
    return mailbox


class Sender:
    """A store while which a message comes that is handed something to keep, and how often that was."""

    def __init__(self, mailbox: Mailbox, size: int) -> None:
        self.pages = 0
        self._mailbox = mailbox
        self._size = size

    async def set_aside(self, page: Page) -> str:
        self.pages += 1
        self._mailbox.offer(Message(id=f"late-{self.pages}", text="y" * self._size), 1_000 + self.pages)
        return f"page-{self.pages}"


@pytest.fixture
def mailbox() -> Mailbox:
    return mailbox_of(10)


async def test_what_is_beyond_the_limit_goes_into_the_store(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    async def set_aside(page: Page) -> str:
        return "page"

    monkeypatch.setattr(shelf, "set_aside", set_aside)
    moved = await lighten(mailbox, LIMIT, LATE)
    assert [*[entry.message.id for entry in mailbox.waiting], *moved] == [f"m{number}" for number in range(10)]
    assert sum(entry.size for entry in mailbox.waiting) <= LIMIT
    assert mailbox.count == 10


async def test_a_message_that_comes_meanwhile_is_carried_and_puts_nothing_off(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(mailbox, 900)
    monkeypatch.setattr(shelf, "set_aside", sender.set_aside)
    await lighten(mailbox, LIMIT, LATE)
    assert sender.pages == 1
    assert sum(entry.size for entry in mailbox.waiting) <= LIMIT + LATE
    assert mailbox.count == 11


async def test_more_than_may_come_meanwhile_goes_into_the_store_too(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(mailbox, LIMIT + LATE)

    async def once(page: Page) -> str:
        ref = await sender.set_aside(page)
        monkeypatch.setattr(sender, "_size", 1)
        return ref

    monkeypatch.setattr(shelf, "set_aside", once)
    moved = await lighten(mailbox, LIMIT, LATE)
    assert "late-1" in moved
    assert sum(entry.size for entry in mailbox.waiting) <= LIMIT + LATE
