"""Long conversations: what is old becomes a summary, and the originals stay in the store."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from temporalio import activity

from aos.conversation import AssistantItem, Item, SummaryItem, ToolItem, Usage, UserItem
from aos.errors import InvalidInput, RetryableModelError, TerminalModelError
from aos.limits import cut_bytes
from aos.memory import TEXT_BYTES, Transaction
from aos.names import agent_workflow_id
from aos.provider import ModelRequest
from aos.reading import read_object
from aos.store import BlobStore, ref_of
from aos.wire import Wire
from aos_activities.conversations import Conversations, estimate_tokens
from aos_activities.failures import retryable
from aos_activities.heartbeat import beating
from aos_activities.memory.access import MemoryAccess
from aos_activities.models.call import call_model
from aos_activities.models.registry import ProviderRegistry
from aos_activities.programs import Programs

SUMMARISE = (
    "Summarise the conversation so far for your own memory. Keep every name, number, date, promise, decision and "
    "open question, and what the people want of you. Leave out what no later turn can need."
)
NOT_SUMMARISED = "What was said before could not be summarised; the tool `recall` finds it by its words."
_KEPT_SHARE = 0.25
_KEY_CHARS = 16
"""Of the reference of a conversation, in the key of its episode: enough for no two of an agent to be the same."""

_log = structlog.get_logger(__name__)


class CompactRequest(Wire):
    """A conversation to shorten; `head` names it."""

    agent: str
    program: str
    head: str


class ReplantRequest(Wire):
    """A conversation that went on to `head` while what it was at `base` was shortened to `shortened`."""

    base: str
    shortened: str
    head: str


class Compacted(Wire):
    """The shortened conversation. `head` is the old one where there was nothing to shorten."""

    head: str
    context_tokens: int
    usage: Usage
    model: str = ""


class CompactionActivities:
    """Shortens conversations."""

    def __init__(
        self,
        store: BlobStore,
        registry: ProviderRegistry,
        conversations: Conversations,
        memory: MemoryAccess | None = None,
    ) -> None:
        """`memory` is where each summary is kept as an episode; None: nowhere."""
        self._memory = memory
        self._store = store
        self._registry = registry
        self._conversations = conversations
        self._programs = Programs(store)

    @activity.defn(name="compact")
    async def compact(self, request: CompactRequest) -> Compacted:
        """Have the model summarise the older part of a conversation, and begin it anew with that summary.

        The summary is kept as an episode in the agent's own memory too, for it is summarised itself in time. What was
        summarised before, in an attempt whose end Temporal did not hear of, is not summarised again.

        Raises:
            ApplicationError: `RetryableModelError`. A model that refuses for good is done without: the conversation
                would hold up every message that follows.
        """
        link = f"compact/{request.program}/{request.head}"
        if ref := await self._store.follow(link):
            compacted = Compacted.model_validate_json(await self._store.load(ref))
            await self._keep_episode(request, (await self._conversations.window(compacted.head)).items[0])
            return compacted
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
                _log.warning("not_summarised", agent=request.agent, problem=error.problem)
                answer = None
        summary = SummaryItem(text=answer.response.text if answer else NOT_SUMMARISED)
        draft = self._conversations.restart(request.head, [summary, *window.items[cut:]])
        compacted = Compacted(
            head=draft.ref,
            context_tokens=draft.window.tokens,
            usage=answer.usage if answer else Usage(),
            model=answer.model if answer else "",
        )
        data = compacted.model_dump_json().encode()
        await self._store.save([draft.data, data], {link: ref_of(data)})
        self._conversations.saved(draft)
        await self._keep_episode(request, summary)
        return compacted

    async def _keep_episode(self, request: CompactRequest, summary: Item) -> None:
        """Write a summary into the agent's memory, once however often this is done."""
        if self._memory is None or summary.text in ("", NOT_SUMMARISED):
            return
        agent = agent_workflow_id(request.agent)
        key = f"episodes/{request.head[:_KEY_CHARS]}"
        text = cut_bytes(summary.text, TEXT_BYTES)
        episode = {
            "id": f"{agent}/{key}",
            "by": agent,
            "why": "the older part of the conversation was summarised",
            "writes": [{"scope": agent, "key": key, "text": text, "kind": "episode"}],
        }
        try:
            await self._memory.commit(read_object(Transaction, "episode", episode))
        except RetryableModelError as error:
            raise retryable(error) from None
        except (InvalidInput, TerminalModelError) as error:
            _log.warning("episode_not_kept", agent=request.agent, problem=str(error))

    @activity.defn(name="replant")
    async def replant(self, request: ReplantRequest) -> Compacted:
        """Put what was said since the base after the conversation that was shortened meanwhile.

        A conversation that does not go on from the base, for a turn that failed took it back, stays as it is.
        """
        said = await self._conversations.said_since(request.base, request.head)
        if said is None:
            window = await self._conversations.window(request.head)
            return Compacted(head=request.head, context_tokens=window.tokens, usage=Usage())
        shortened = await self._conversations.window(request.shortened)
        draft = self._conversations.restart(request.head, [*shortened.items, *said])
        await self._store.save([draft.data], {})
        self._conversations.saved(draft, request.head)
        return Compacted(head=draft.ref, context_tokens=draft.window.tokens, usage=Usage())


def _cut(items: Sequence[Item], keep_tokens: int) -> int:
    """Return how many items to summarise: all but the last `keep_tokens`, never between a call and its result."""
    # The results of calls at the end are still to come.
    last = items[-1] if items else None
    end = len(items) - 1 if isinstance(last, AssistantItem) and last.tool_calls else len(items)
    cut, kept = end, 0
    while cut and kept + estimate_tokens(items[cut - 1]) <= keep_tokens:
        cut -= 1
        kept += estimate_tokens(items[cut])
    while cut < end and isinstance(items[cut], ToolItem):
        cut += 1
    return cut if any(not isinstance(item, SummaryItem) for item in items[:cut]) else 0
