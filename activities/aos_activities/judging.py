"""One model call without a conversation: who speaks next, how a plan goes, which of several answers holds."""

from __future__ import annotations

from typing import Any

import structlog
from pydantic import Field, JsonValue
from temporalio import activity

from aos.conversation import Usage, UserItem
from aos.errors import RetryableModelError, TerminalModelError
from aos.limits import REPLY_INLINE_BYTES, cut_bytes
from aos.provider import ModelRequest
from aos.store import BlobStore, ref_of
from aos.wire import Wire
from aos_activities.failures import retryable, terminal
from aos_activities.heartbeat import beating
from aos_activities.models.call import call_model
from aos_activities.models.registry import ProviderRegistry
from aos_activities.output import read_output


class JudgeRequest(Wire):
    """A question for a model. `key` names it for ever; `asker` is the address of who asks.

    `models` are tried in this order; none: the workers' default. `output_schema` is the JSON schema of the answer.
    `again`: the workflow has let go of an attempt at this question before.
    """

    asker: str
    key: str
    models: list[str] = Field(default_factory=list[str])
    system: str = ""
    prompt: str
    output_schema: dict[str, Any] | None = None
    again: bool = False


class Judgement(Wire):
    """What a model answered. `output` is it as JSON, where it fits the schema; `problem` says why it does not."""

    text: str = ""
    output: JsonValue = None
    problem: str = ""
    usage: Usage = Field(default_factory=Usage)
    model: str = ""


class JudgingActivities:
    """Asks models single questions, and keeps what they answered under the question's key."""

    def __init__(self, store: BlobStore, registry: ProviderRegistry) -> None:
        self._store = store
        self._registry = registry

    @activity.defn(name="judge")
    async def judge(self, request: JudgeRequest) -> Judgement:
        """Return what a model answers. A question that was answered in an attempt before is not asked again.

        Raises:
            ApplicationError: `RetryableModelError`, or `TerminalModelError`, which is not retried.
        """
        structlog.contextvars.bind_contextvars(agent=request.asker)
        link = _link(request)
        first = activity.info().attempt == 1 and not request.again
        if not first and (ref := await self._store.follow(link)):
            return Judgement.model_validate_json(await self._store.load(ref))
        question = ModelRequest(
            model="",
            system=request.system,
            items=[UserItem(text=request.prompt)],
            output_schema=request.output_schema,
            key=link,
        )
        async with beating():
            try:
                answer = await call_model(self._registry, request.models, question, agent=request.asker)
            except RetryableModelError as error:
                raise retryable(error) from None
            except TerminalModelError as error:
                raise terminal(error) from None
        output, problem = read_output(answer.response, request.output_schema)
        judgement = Judgement(
            text=cut_bytes(answer.response.text, REPLY_INLINE_BYTES),
            output=output,
            problem=problem,
            usage=answer.usage,
            model=answer.model,
        )
        data = judgement.model_dump_json().encode()
        await self._store.save([data], {link: ref_of(data)})
        return judgement


def _link(request: JudgeRequest) -> str:
    """Return the link of the answer. It names what is asked too: a reset workflow may ask another thing by that key."""
    digest = ref_of(f"{request.system}\n{request.prompt}".encode())
    return f"judge/{request.key}/{digest[:16]}"
