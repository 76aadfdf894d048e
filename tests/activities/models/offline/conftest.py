"""Conversations with the offline model, in which its tool calls are carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aos.conversation import AssistantItem, Item, ToolCall, ToolItem, UserItem
from aos.provider import ModelRequest, ModelResponse, ToolSchema
from aos_activities.models.offline import OfflineProvider

DOCUMENTS = Path(__file__).parents[4] / "examples" / "documents"
PAGE_BYTES = 2000
TIME = "2031-05-06T07:08:09+00:00"


def _tool(name: str, required: list[str], **properties: dict[str, Any]) -> ToolSchema:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    return ToolSchema(name=name, description=name, parameters=schema)


TOOLS = [
    _tool("current_time", [], timezone={"type": "string", "default": "UTC"}),
    _tool("set_timer", ["seconds", "text"], seconds={"type": "number"}, text={"type": "string"}),
    _tool("read_document", ["path"], path={"type": "string"}, offset={"type": "integer", "default": 0}),
    _tool("list_documents", []),
    _tool("fetch_url", ["url"], url={"type": "string"}),
    _tool("add", ["a", "b"], a={"type": "number"}, b={"type": "number", "description": "the second summand"}),
    _tool("lookup_order", ["order_id"], order_id={"type": "integer"}),
    _tool(
        "paint",
        ["colour", "things"],
        colour={"enum": ["red", "green"]},
        things={"type": "array", "items": {"type": "string"}},
        glossy={"type": "boolean", "default": False},
    ),
]


@dataclass
class Dialogue:
    """One conversation. `calls` holds every call that was made in it."""

    tools: list[ToolSchema] = field(default_factory=lambda: list(TOOLS))
    items: list[Item] = field(default_factory=list[Item])
    calls: list[ToolCall] = field(default_factory=list[ToolCall])

    def request(self, **fields: Any) -> ModelRequest:
        """Return the request for the conversation as it stands."""
        return ModelRequest(model="extractive", system="", items=self.items, tools=self.tools, **fields)

    async def ask(self, text: str, *, sender: str = "", **fields: Any) -> ModelResponse:
        """Say `text`, carry out the calls that are made for it, and return the final answer."""
        self.items.append(UserItem(text=text, sender=sender))
        for _ in range(20):
            response = await OfflineProvider().complete(self.request(**fields))
            self.items.append(AssistantItem(text=response.text, tool_calls=response.tool_calls))
            if not response.tool_calls:
                return response
            self.calls += response.tool_calls
            self.items += [self._run(call) for call in response.tool_calls]
        raise AssertionError(f"no final answer to {text!r} after 20 steps")

    async def calls_for(self, text: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the calls that are made for `text`."""
        before = len(self.calls)
        await self.ask(text)
        return [(call.name, call.arguments) for call in self.calls[before:]]

    def _run(self, call: ToolCall) -> ToolItem:
        text, error = "done", False
        if call.name == "read_document":
            text, error = self._page(call.arguments["path"], call.arguments.get("offset", 0))
        elif call.name == "list_documents":
            text = "\n".join(sorted(file.name for file in DOCUMENTS.iterdir()))
        elif call.name == "current_time":
            text = TIME
        elif call.name == "add":
            text = str(call.arguments["a"] + call.arguments["b"])
        return ToolItem(call_id=call.id, name=call.name, text=text, error=error)

    def _page(self, path: str, offset: int) -> tuple[str, bool]:
        if not (DOCUMENTS / path).is_file():
            return f"there is no document {path}", True
        data = (DOCUMENTS / path).read_bytes()
        end = min(offset + PAGE_BYTES, len(data))
        rest = "the end" if end == len(data) else f"next offset {end}"
        head = f"[path: {path}, bytes {offset}-{end} of {len(data)}, {rest}]\n"
        return head + data[offset:end].decode(), False


@pytest.fixture
def dialogue() -> Dialogue:
    return Dialogue()


@pytest.fixture
def told() -> Callable[[str], Dialogue]:
    """A conversation in which something was said already."""

    def make(text: str) -> Dialogue:
        return Dialogue(items=[UserItem(text=text), AssistantItem(text="Noted.")])

    return make
