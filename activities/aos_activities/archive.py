"""What a workflow sets aside, and what it or a person reads back, from the store."""

from __future__ import annotations

from pydantic import Field, JsonValue
from temporalio import activity

from aos.read_back import BlobPage, ReadBlob, ReadTranscript
from aos.store import BlobStore, ref_of
from aos.views import TranscriptLine, TranscriptPage
from aos.wire import Wire
from aos_activities.conversations import Conversations
from aos_activities.think import Thought, reply_link

_PAGE_BYTES = 512 * 1024


class Page(Wire):
    """Something set aside: entries as JSON, and the page before, where they form a chain."""

    entries: list[JsonValue] = Field(default_factory=list[JsonValue])
    before: str = ""


class FindReply(Wire):
    """Asks for the final thought on a message of an agent's life."""

    life: str
    message_id: str


class ArchiveActivities:
    """Sets aside and reads back."""

    def __init__(self, store: BlobStore, conversations: Conversations) -> None:
        self._store = store
        self._conversations = conversations

    @activity.defn(name="set_aside")
    async def set_aside(self, page: Page) -> str:
        """Store a page and return its reference."""
        data = page.model_dump_json().encode()
        await self._store.save([data])
        return ref_of(data)

    @activity.defn(name="bring_back")
    async def bring_back(self, ref: str) -> Page:
        """Return the page of that reference."""
        return Page.model_validate_json(await self._store.load(ref))

    @activity.defn(name="find_reply")
    async def find_reply(self, request: FindReply) -> Thought | None:
        """Return the final thought on a message, or None where there was none."""
        ref = await self._store.follow(reply_link(request.life, request.message_id))
        return Thought.model_validate_json(await self._store.load(ref)) if ref else None

    @activity.defn(name="read_blob")
    async def read_blob(self, request: ReadBlob) -> BlobPage:
        """Return up to 512 KiB of a stored text."""
        data = await self._store.load(request.ref)
        part = data[request.offset : request.offset + _PAGE_BYTES].decode(errors="ignore")
        end = request.offset + len(part.encode())
        return BlobPage(text=part, size=len(data), next_offset=end if part and end < len(data) else 0)

    @activity.defn(name="read_transcript")
    async def read_transcript(self, request: ReadTranscript) -> TranscriptPage:
        """Return whole items of a conversation, oldest first, as many as fit into a page."""
        lines: list[TranscriptLine] = []
        size, seen, more = 0, 0, False
        async for _, item in self._conversations.newest_first(request.head):
            seen += 1
            if seen <= request.skip:
                continue
            size += len(item.text)
            if len(lines) == request.limit or (lines and size > _PAGE_BYTES):
                more = True
                break
            lines.append(TranscriptLine.of(item))
        return TranscriptPage(lines=lines[::-1], skipped=request.skip, more=more)
