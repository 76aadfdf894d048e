"""Long conversations: what is old becomes a summary, and the originals stay in the store."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import activity

from aos.conversation import Item, SummaryItem, ToolItem, Usage, UserItem
from aos.errors import RetryableModelError, TerminalModelError
from aos.provider import ModelRequest
from aos.store import BlobStore
from aos.wire import Wire
from aos_activities.conversations import Conversations, estimate_tokens
from aos_activities.failures import retryable, terminal
from aos_activities.heartbeat import beating
from aos_activities.models.call import call_model
from aos_activities.models.registry import ProviderRegistry
from aos_activities.programs import Programs

SUMMARISE = (
    "Summarise the conversation so far for your own memory. Keep every name, number, date, promise, decision and "
    "open question, and what the people want of you. Leave out what no later turn can need."
)
_KEPT_SHARE = 0.25


class CompactRequest(Wire):
    """A conversation to shorten; `head` names it."""

    agent: str
    program: str
    head: str


class Compacted(Wire):
    """The shortened conversation. `head` is the old one where there was nothing to shorten."""

    head: str
    context_tokens: int
    usage: Usage
    model: str = ""


class CompactionActivities:
    """Shortens conversations."""

    def __init__(self, store: BlobStore, registry: ProviderRegistry, conversations: Conversations) -> None:
        self._store = store
        self._registry = registry
        self._conversations = conversations
        self._programs = Programs(store)

    @activity.defn(name="compact")
    async def compact(self, request: CompactRequest) -> Compacted:
        """Have the model summarise the older part of a conversation, and begin it anew with that summary.

        Raises:
            ApplicationError: `RetryableModelError`, or `TerminalModelError`, which is not retried.
        """
        program = await self._programs.load(request.program)
        window = await self._conversations.window(request.head)
        cut = _cut(window.items, int(program.context_tokens * _KEPT_SHARE))
        if not cut:
            return Compacted(head=request.head, context_tokens=window.tokens, usage=Usage())
        asked = ModelRequest(
            model="",
            system=program.system,
            items=[*window.items[:cut], UserItem(text=SUMMARISE)],
            key=f"compact/{request.head}",
        )
        async with beating():
            try:
                answer = await call_model(self._registry, program.models, asked, agent=request.agent)
            except RetryableModelError as error:
                raise retryable(error) from None
            except TerminalModelError as error:
                raise terminal(error) from None
        kept = [SummaryItem(text=answer.response.text), *window.items[cut:]]
        draft = self._conversations.restart(request.head, kept)
        await self._store.save([draft.data])
        self._conversations.saved(draft)
        return Compacted(head=draft.ref, context_tokens=draft.window.tokens, usage=answer.usage, model=answer.model)


def _cut(items: Sequence[Item], keep_tokens: int) -> int:
    """Return how many items to summarise: all but the last `keep_tokens`, never between a call and its result."""
    cut, kept = len(items), 0
    while cut and kept + estimate_tokens(items[cut - 1]) <= keep_tokens:
        cut -= 1
        kept += estimate_tokens(items[cut])
    while cut < len(items) and isinstance(items[cut], ToolItem):
        cut += 1
    return cut if any(not isinstance(item, SummaryItem) for item in items[:cut]) else 0
