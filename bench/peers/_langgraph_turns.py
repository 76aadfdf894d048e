"""Agents as threads of one LangGraph graph, each step written by a checkpointer before the next begins."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from measure import MESSAGE, REPLY
from peers._team import MEMBERS


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


def team(saver: BaseCheckpointSaver[Any], turns: int) -> Any:
    """Return the graph of a team: a node for each member, in a circle, until so many turns are taken."""
    graph = StateGraph(MessagesState)
    for name, following in zip(MEMBERS, (*MEMBERS[1:], MEMBERS[0]), strict=True):
        graph.add_node(name, model)
        graph.add_conditional_edges(
            name, lambda state, following=following: END if len(state["messages"]) > turns else following
        )
    graph.add_edge(START, MEMBERS[0])
    return graph.compile(checkpointer=saver)


@dataclass
class LangGraphPeer:
    """The graph in this process."""

    saver: BaseCheckpointSaver[Any]
    written: Callable[[], Awaitable[dict[str, float]]]
    parts: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    own: str = "worker"
    durable: bool = True

    def __post_init__(self) -> None:
        self.graph = compiled(self.saver)

    async def start(self, names: Sequence[str]) -> None:
        """A thread begins with its first message."""

    async def ask(self, name: str, text: str) -> str:
        state = await self.graph.ainvoke(
            {"messages": [HumanMessage(text)]}, {"configurable": {"thread_id": name}}, durability="sync"
        )
        return state["messages"][-1].content

    async def weigh(self, names: Sequence[str]) -> dict[str, float]:
        return await self.written()

    async def discuss(self, name: str, turns: int) -> AsyncGenerator[str]:
        stream = team(self.saver, turns).astream(
            {"messages": [HumanMessage(MESSAGE)]},
            {"configurable": {"thread_id": name}, "recursion_limit": turns + 10},
            stream_mode="updates",
            durability="sync",
        )
        async for update in stream:
            for said in update.values():
                yield said["messages"][-1].content

    async def weigh_team(self, name: str) -> dict[str, float]:
        return await self.written()
