"""Tools by which an agent reads what its model is not shown: shared memory, old conversation and long results."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from aos.conversation import Item
from aos.errors import BlobMissing, InvalidInput, TerminalError
from aos.limits import RESULT_VIEW_BYTES, clip
from aos.memory import KEY_CHARS, Search, check_key
from aos.store import BlobStore
from aos.tools import Tool, current_call, tool
from aos_activities.builtin.remembering import WAITS, scopes_of
from aos_activities.conversations import Conversations
from aos_activities.memory.access import MemoryAccess
from aos_activities.memory.shown import shown

Where = Literal["everywhere", "memory", "conversation"]

_SEARCHED = 20_000
_SHOWN = 10
_EXCERPT_CHARS = 600
_QUERY_CHARS = 10_000
_WHERE = {
    "everywhere": "in memory or in this conversation",
    "memory": "in memory",
    "conversation": "in this conversation",
}
_WORD = re.compile(r"\w+")


def recalling_tools(store: BlobStore, conversations: Conversations, memory: MemoryAccess) -> list[Tool]:
    """Return the tools `recall` and `read_result`: over `memory` and the conversations, and over `store`."""

    @tool(timeout=30.0, attempts=WAITS)
    async def recall(query: Annotated[str, Field(min_length=1)], where: Where = "everywhere") -> str:
        """Search what you and others remembered, and this whole conversation, also what was summarised long ago.

        Args:
            query: Words to look for, the best passages first; or the key of something in memory, which is shown whole.
            where: memory, conversation, or everywhere.
        """
        found = [] if where == "conversation" else await _in_memory(memory, query)
        words = {word for word in _WORD.findall(query.lower()) if len(word) > 2}
        if where != "memory":
            if not found and not words:
                raise TerminalError("give words of three letters or more to look for")
            found += await _in_conversation(conversations, words)
        return "\n\n".join(found) or f"nothing {_WHERE[where]} has any of these words"

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


async def _in_memory(memory: MemoryAccess, query: str) -> list[str]:
    """Return what is found in the scopes that the agent reaches: what has that key first, and whole."""
    scopes = [*scopes_of(current_call()).values()]
    named = [record for scope in scopes if _is_key(query) and (record := await memory.store.get(scope, query))]
    places = {(record.scope, record.key) for record in named}
    try:
        found = await memory.search(Search(scopes=scopes, text=query[:_QUERY_CHARS], limit=_SHOWN))
    except InvalidInput as error:
        raise TerminalError(str(error)) from error
    others = [each.record for each in found if (each.record.scope, each.record.key) not in places]
    return [*map(shown, named), *(shown(record, _EXCERPT_CHARS) for record in others)]


async def _in_conversation(conversations: Conversations, words: set[str]) -> list[str]:
    found: list[tuple[int, int, Item]] = []
    age = 0
    async for _, item in conversations.newest_first(current_call().conversation):
        age += 1
        if hits := len(words & set(_WORD.findall(item.text.lower()))):
            found.append((-hits, age, item))
        if age >= _SEARCHED:
            break
    best = sorted(found, key=lambda entry: entry[:2])[:_SHOWN]
    return [f"[{item.kind}] {clip(item.text, _EXCERPT_CHARS)}" for _, _, item in best]


def _is_key(query: str) -> bool:
    try:
        return len(query) <= KEY_CHARS and bool(check_key(query))
    except ValueError:
        return False
