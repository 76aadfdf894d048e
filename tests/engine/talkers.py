"""Agents that speak to each other: scripts that use the messaging tools, and what others told an agent."""

from __future__ import annotations

from typing import Any

from aos.conversation import ToolItem
from aos.message import Reply
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls, last_text
from engine.engine import Engine
from engine.scripts import Script, echo

Call = tuple[str, dict[str, Any]]

TOOLS = ["send", "ask", "delegate", "handoff", "finish"]


def results(request: ModelRequest) -> list[ToolItem]:
    """Return the results of the calls that were made last."""
    found: list[ToolItem] = []
    for item in reversed(request.items):
        if not isinstance(item, ToolItem):
            break
        found.insert(0, item)
    return found


def making(*wanted: Call, on: str = "go") -> Script:
    """Make these calls when told `on`, then answer with what they came to; echo whatever else is said."""

    def script(request: ModelRequest) -> ModelResponse | str:
        if found := results(request):
            return " | ".join(("error: " if item.error else "") + item.text for item in found)
        return calls(*wanted) if last_text(request) == on else str(echo(request))

    return script


async def replies_to(engine: Engine, name: str) -> list[Reply]:
    """Return the replies that an agent was signalled, of its newest run."""
    signals = [event.workflow_execution_signaled_event_attributes for event in await engine.events(name)]
    return [
        Reply.model_validate_json(signal.input.payloads[0].data) for signal in signals if signal.signal_name == "reply"
    ]
