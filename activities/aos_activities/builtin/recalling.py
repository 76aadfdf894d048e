"""Tools by which an agent reads what its model is no longer shown: old conversation and long results."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aos.conversation import Item
from aos.errors import BlobMissing, TerminalError
from aos.limits import RESULT_VIEW_BYTES, clip
from aos.store import BlobStore
from aos.tools import Tool, current_call, tool
from aos_activities.conversations import Conversations

_SEARCHED = 20_000
_SHOWN = 10
_EXCERPT_CHARS = 600
_WORD = re.compile(r"\w+")


def recalling_tools(store: BlobStore, conversations: Conversations) -> list[Tool]:
    """Return the tools `recall` and `read_result`, over `store`."""

    @tool(timeout=30.0)
    async def recall(query: str) -> str:
        """Search this whole conversation, also what was summarised long ago, for words.

        Args:
            query: Words to look for; passages that have more of them come first.
        """
        words = {word for word in _WORD.findall(query.lower()) if len(word) > 2}
        if not words:
            raise TerminalError("give words of three letters or more to look for")
        found: list[tuple[int, int, Item]] = []
        age = 0
        async for _, item in conversations.newest_first(current_call().conversation):
            age += 1
            if hits := len(words & set(_WORD.findall(item.text.lower()))):
                found.append((-hits, age, item))
            if age >= _SEARCHED:
                break
        return _told(item for _, _, item in sorted(found, key=lambda entry: entry[:2])[:_SHOWN])

    @tool(timeout=30.0)
    async def read_result(ref: str, offset: int = 0) -> str:
        """Read on in a tool result that was cut.

        Args:
            ref: As given where the result was cut.
            offset: Byte to read on from.
        """
        try:
            data = await store.load(ref)
        except BlobMissing as error:
            raise TerminalError(f"there is no result {clip(ref)!r}") from error
        part = data[offset : offset + RESULT_VIEW_BYTES - 200].decode(errors="ignore")
        end = offset + len(part.encode())
        where = f"next offset {end}" if part and end < len(data) else "the end"
        return f"[bytes {offset}-{end} of {len(data)}, {where}]\n{part}"

    return [recall, read_result]


def _told(items: Iterable[Item]) -> str:
    passages = [f"[{item.kind}] {clip(item.text, _EXCERPT_CHARS)}" for item in items]
    return "\n\n".join(passages) or "nothing in this conversation has any of these words"
