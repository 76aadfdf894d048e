"""Agents as threads of one LangGraph graph, each step written by a checkpointer before the next begins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from measure import REPLY


async def model(state: MessagesState) -> dict[str, list[AIMessage]]:
    """The model: it answers at once."""
    return {"messages": [AIMessage(REPLY)]}


def compiled(saver: BaseCheckpointSaver[Any]) -> Any:
    """Return the graph of a chat agent."""
    graph = StateGraph(MessagesState)
    graph.add_node("model", model)
    graph.add_edge(START, "model")
    graph.add_edge("model", END)
    return graph.compile(checkpointer=saver)


@dataclass
class LangGraphPeer:
    """The graph in this process."""

    graph: Any
    written: Callable[[], Awaitable[dict[str, float]]]
    parts: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    own: str = "worker"
    durable: bool = True

    async def start(self, names: Sequence[str]) -> None:
        """A thread begins with its first message."""

    async def ask(self, name: str, text: str) -> str:
        state = await self.graph.ainvoke(
            {"messages": [HumanMessage(text)]}, {"configurable": {"thread_id": name}}, durability="sync"
        )
        return state["messages"][-1].content

    async def weigh(self, names: Sequence[str]) -> dict[str, float]:
        return await self.written()
