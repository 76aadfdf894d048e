"""Spans and counters with the names of OpenTelemetry's GenAI conventions."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from aos.conversation import Usage

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
AGENT_NAME = "gen_ai.agent.name"
CONVERSATION_ID = "gen_ai.conversation.id"
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105  # tokens of a text, not of a login
MESSAGE_ID = "aos.message.id"
COST = "aos.usage.cost"

_tracer = trace.get_tracer("aos")
_meter = metrics.get_meter("aos")
_tokens = _meter.create_counter("gen_ai.client.token.usage", "{token}", "Tokens read and written by models")
_cost = _meter.create_counter("aos.client.cost", "USD", "Money spent on model calls")


@contextmanager
def span(name: str, attributes: dict[str, AttributeValue], kind: SpanKind = SpanKind.INTERNAL) -> Generator[Span]:
    """Open a span that takes its error from what the block raises, by type alone: texts may hold what is private."""
    with _tracer.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield opened
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(Status(StatusCode.ERROR))
            raise


def count_usage(usage: Usage, *, agent: str, provider: str, model: str) -> None:
    """Add one model call to the counters of tokens and money."""
    common = {AGENT_NAME: agent, PROVIDER: provider, REQUEST_MODEL: model}
    _tokens.add(usage.input_tokens, {**common, TOKEN_TYPE: "input"})
    _tokens.add(usage.output_tokens, {**common, TOKEN_TYPE: "output"})
    _cost.add(usage.cost / 1_000_000, common)
