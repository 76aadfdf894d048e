"""The graph of AutoGen's GraphFlow, as edges of AOS."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import Field

from aos.compat.autogen.loading import Config, Json, Loading
from aos.limits import clip
from aos.strategy import FUNCTION


class GraphEdge(Config):
    """One edge. A condition that was a function is None in AutoGen's JSON: it is lost there already."""

    target: str
    condition: str | None = None
    activation_group: str = ""
    activation_condition: Literal["all", "any"] = "all"


class GraphNode(Config):
    """One member with the edges out of it. AutoGen reads its `activation`, and does nothing with it."""

    name: str
    edges: list[GraphEdge] = Field(default_factory=list[GraphEdge])
    activation: Literal["all", "any"] = "all"


class DiGraph(Config):
    """The whole graph."""

    nodes: dict[str, GraphNode]
    default_start_node: str | None = None


def read_graph(loading: Loading, graph: DiGraph, members: Collection[str], place: str) -> Json:
    """Return a graph as a strategy. Of `members`, those that are in no node never speak in AutoGen."""
    edges: list[Json] = []
    for source, node in graph.nodes.items():
        for number, edge in enumerate(node.edges):
            if edge.condition and edge.condition.startswith(FUNCTION):
                loading.refuse(
                    f"{place}.nodes.{clip(source)}.edges[{number}].condition",
                    f"{FUNCTION!r} at its beginning names a function in AOS; use another text",
                )
            if edge.condition == "":
                loading.note(
                    f"{place}.nodes.{clip(source)}.edges[{number}].condition", "is in every text: the edge has none"
                )
            group = "" if edge.activation_group == edge.target else edge.activation_group
            edges.append({
                "source": source,
                "target": edge.target,
                "condition": edge.condition or "",
                "group": group,
                "when": edge.activation_condition,
            })  # fmt: skip
    start = [graph.default_start_node] if graph.default_start_node else []
    if not start and not set(members) <= graph.nodes.keys():
        targets = {edge["target"] for edge in edges}
        start = [name for name in graph.nodes if name not in targets]
    return {"type": "graph", "edges": edges, "start": start}
