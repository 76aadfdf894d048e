"""The model activity: one step of an agent's thinking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from pydantic import Field, JsonValue
from temporalio import activity

from aos.conversation import AssistantItem, Item, ToolCall, ToolItem, Usage, UserItem
from aos.errors import RetryableModelError, TerminalModelError
from aos.limits import REPLY_INLINE_BYTES, cut_bytes
from aos.memory import MemoryStore
from aos.names import AGENT_ID_PREFIX
from aos.provider import ModelRequest
from aos.store import BlobStore, ref_of
from aos.wire import Wire
from aos_activities.blocks import with_blocks
from aos_activities.conversations import Conversations, Window
from aos_activities.failures import retryable, terminal
from aos_activities.heartbeat import beating
from aos_activities.models.call import call_model
from aos_activities.models.registry import ProviderRegistry
from aos_activities.models.tool_calls import bounded
from aos_activities.output import read_output
from aos_activities.parts import as_shown, part_as_text
from aos_activities.programs import Program, Programs
from aos_activities.streaming import StreamedText


class ThinkRequest(Wire):
    """One step of one turn of the agent whose workflow asks.

    `life`, `turn` and `step` name it for ever; `new` is what was said since `head`.

    `answers` are the ids of the messages that a final answer replies to, where they are not those in `new`. `again`:
    the workflow has let go of an attempt at this step before.
    """

    life: str
    turn: int
    step: int = 0
    program: str
    head: str = ""
    new: list[Item] = Field(default_factory=list[Item])
    answers: list[str] = Field(default_factory=list[str])
    output_schema: dict[str, Any] | None = None
    stream: bool = False
    again: bool = False

    @property
    def answered(self) -> list[str]:
        """Ids of the messages that a final answer replies to."""
        return self.answers or ids_of(self.new)


class Thought(Wire):
    """What the model made of it. Without `tool_calls` and `output_error`, `text` is the final answer."""

    head: str
    text: str = ""
    ref: str = ""
    tool_calls: list[ToolCall] = Field(default_factory=list[ToolCall])
    output: JsonValue = None
    output_error: str = ""
    usage: Usage = Field(default_factory=Usage)
    model: str = ""
    context_tokens: int = 0


def ids_of(items: Sequence[Item]) -> list[str]:
    """Return the ids of the messages among `items`."""
    return [item.id for item in items if isinstance(item, UserItem)]


def reply_link(life: str, message_id: str) -> str:
    """Return the link under which the store keeps the final thought on a message."""
    return f"reply/{life}/{message_id}"


def step_link(request: ThinkRequest) -> str:
    """Return the link under which the store keeps the thought of a step.

    It names what is thought about too: after a reset, or when something was said meanwhile, the step is another.
    """
    digest = ref_of("".join([request.head, *(item.model_dump_json() for item in request.new)]).encode())
    return f"step/{request.life}/{request.turn}/{request.step}/{digest[:16]}"


class ThinkActivities:
    """Thinks, for every agent alike."""

    def __init__(
        self, store: BlobStore, registry: ProviderRegistry, conversations: Conversations, memory: MemoryStore
    ) -> None:
        self._store = store
        self._memory = memory
        self._registry = registry
        self._conversations = conversations
        self._programs = Programs(store)

    @activity.defn(name="think")
    async def think(self, request: ThinkRequest) -> Thought:
        """Call the model with the conversation up to now and store what it answers.

        A step that was thought in an attempt before, whose end Temporal did not hear of, is not thought again.

        Raises:
            ApplicationError: `RetryableModelError`, or `TerminalModelError`, which is not retried.
        """
        agent = (activity.info().workflow_id or "").removeprefix(AGENT_ID_PREFIX)
        structlog.contextvars.bind_contextvars(agent=agent, message_id=next(iter(request.answered), ""))
        link = step_link(request)
        first = activity.info().attempt == 1 and not request.again
        if not first and (ref := await self._store.follow(link)):
            return Thought.model_validate_json(await self._store.load(ref))
        program = await self._programs.load(request.program)
        new = [await self._shown(item) for item in request.new]
        system = await with_blocks(program.system, program.blocks, self._memory)
        window = await self._conversations.window(request.head)
        streamed = StreamedText(request.answered) if request.stream else None
        async with beating(streamed.details if streamed else None):
            try:
                answer = await call_model(
                    self._registry,
                    program.models,
                    _model_request(request, program, system, window.extended(new), link),
                    agent=agent,
                    listener=streamed.add if streamed else None,
                )
            except RetryableModelError as error:
                raise retryable(error) from None
            except TerminalModelError as error:
                raise terminal(error) from None
        response = answer.response.model_copy(update={"tool_calls": bounded(answer.response.tool_calls)})
        said = AssistantItem(text=response.text, tool_calls=response.tool_calls, model=answer.model)
        draft = self._conversations.extend(request.head, window, [*new, said])
        output, problem = read_output(response, request.output_schema or program.output_schema)
        thought = Thought(
            head=draft.ref,
            text=cut_bytes(response.text, REPLY_INLINE_BYTES),
            tool_calls=response.tool_calls,
            output=output,
            output_error=problem,
            usage=answer.usage,
            model=answer.model,
            context_tokens=max(draft.window.tokens, answer.usage.input_tokens + answer.usage.output_tokens),
        )
        blobs = [draft.data]
        if len(thought.text) < len(response.text):
            whole = response.text.encode()
            thought.ref = ref_of(whole)
            blobs.append(whole)
        data = thought.model_dump_json().encode()
        ends = not thought.tool_calls and not problem
        replies = [reply_link(request.life, message_id) for message_id in request.answered] if ends else []
        # That of the step comes last: where a store points one after the other, who finds it finds the replies.
        await self._store.save([*blobs, data], dict.fromkeys([*replies, link], ref_of(data)))
        self._conversations.saved(draft, request.head)
        return thought

    async def _shown(self, item: Item) -> Item:
        """Return `item` with as much of a stored result, or of a message's parts, as a model is shown at a time."""
        if isinstance(item, UserItem) and item.parts:
            parts = [await part_as_text(part, self._store) for part in item.parts]
            return item.model_copy(update={"text": "\n\n".join([item.text, *parts]), "parts": []})
        if not isinstance(item, ToolItem) or not item.ref:
            return item
        return item.model_copy(update={"text": as_shown(await self._store.load(item.ref), item.ref)})


def _model_request(request: ThinkRequest, program: Program, system: str, window: Window, key: str) -> ModelRequest:
    # Not validated: it is made of what was, and validating a long conversation at each step would cost more and more.
    return ModelRequest.model_construct(
        model="",
        system=system,
        items=list(window.items),
        tools=program.tools,
        output_schema=request.output_schema or program.output_schema,
        temperature=program.temperature,
        max_output_tokens=program.max_output_tokens,
        key=key,
    )
