"""One model call, along the fallback chain of an agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from opentelemetry.trace import SpanKind

from aos.conversation import Usage
from aos.errors import AosError, ModelError, RetryableModelError
from aos.provider import Listener, ModelProvider, ModelRequest, ModelResponse
from aos_activities import telemetry
from aos_activities.models.prices import cost
from aos_activities.models.registry import ProviderRegistry

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer, and which model of the chain it was, as `provider:model`."""

    response: ModelResponse
    usage: Usage
    model: str


async def call_model(
    registry: ProviderRegistry,
    models: Sequence[str],
    request: ModelRequest,
    *,
    agent: str,
    listener: Listener | None = None,
) -> Answer:
    """Ask the models in turn until one answers.

    Raises:
        RetryableModelError: None answered, and one of them may later.
        TerminalModelError: None answered, and none ever will as it is.
    """
    errors: list[ModelError] = []
    for name in models or registry.default:
        try:
            provider, model = registry.find(name)
            return await _ask(provider, request.model_copy(update={"model": model}), agent, listener)
        except ModelError as error:
            errors.append(error)
            _log.warning(
                "model_call_failed", agent=agent, model=name, error=type(error).__name__, problem=error.problem
            )
    if not errors:
        raise AosError(f"agent {agent!r} names no model and this worker has no default; set AOS_MODEL")
    retryable = [error for error in errors if isinstance(error, RetryableModelError)]
    raise min(retryable, key=lambda error: error.retry_after or 0) if retryable else errors[0]


async def _ask(provider: ModelProvider, request: ModelRequest, agent: str, listener: Listener | None) -> Answer:
    attributes = {
        telemetry.OPERATION: "chat",
        telemetry.PROVIDER: provider.name,
        telemetry.REQUEST_MODEL: request.model,
        telemetry.AGENT_NAME: agent,
    }
    with telemetry.span(f"chat {request.model}", {**attributes}, SpanKind.CLIENT) as span:
        response = await provider.complete(request, listener)
        money = cost(provider.name, response.model or request.model, response.usage)
        usage = response.usage.model_copy(update={"calls": 1, "cost": money})
        span.set_attributes(
            {
                telemetry.RESPONSE_MODEL: response.model or request.model,
                telemetry.FINISH_REASONS: [response.finish_reason],
                telemetry.INPUT_TOKENS: usage.input_tokens,
                telemetry.OUTPUT_TOKENS: usage.output_tokens,
                telemetry.COST: usage.cost / 1_000_000,
            }
        )
    telemetry.count_usage(usage, agent=agent, provider=provider.name, model=request.model)
    return Answer(response, usage, f"{provider.name}:{request.model}")
