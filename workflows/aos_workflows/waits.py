"""Who waits for whom: cycles of waits are refused before they close, or found and broken afterwards.

Every node of the graph, an agent or one task of a team, knows its own waits only. What nobody can see by itself is
found by probes that follow the waits. The wait that closes a cycle arrives last, at a node that waits by then: the node
sends a probe along its own waits, and each node that still owes the answer in question passes it on along its own. A
probe that comes back to where it began has found a cycle. It goes round once more, so that every wait was seen twice
and all were open between; then the least important wait is broken. Some cycles hide behind one that was found, so the
node where the probe began looks again once the victim's wait is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from aos.wire import Wire
from aos_workflows.seen import short_digest

WaitKind = Literal["ask", "delegate", "lock", "approval"]

MOST_EDGES = 1000
"""Longest way of a probe. A longer cycle is left to the deadlines."""

_PASSED = 500
_OVER = 200


class Edge(Wire):
    """That `node` waits for the answer of `to` to the message `id`, since a time in seconds since 1970.

    `priority` is how important the purpose is for which it waits, 1 most.
    """

    node: str
    to: str
    id: str
    since: float = 0.0
    priority: int = 3


class Wait(Edge):
    """A wait that its node has open.

    `deadline` is in seconds since 1970; `key` says to the owner what the answer is for.
    """

    kind: WaitKind = "ask"
    deadline: float | None = None
    key: str = ""

    @property
    def edge(self) -> Edge:
        """The wait as others are told of it."""
        return Edge(node=self.node, to=self.to, id=self.id, since=self.since, priority=self.priority)


class Probe(Wire):
    """What follows the waits: the body of the signal `probe`.

    `origin` is where it began. `cause` is the message that gave rise to it, or that the wait for one is over: each node
    passes the probes of one origin and cause on once. Without `edges` it tells the origin to look again. `confirmed`
    counts the edges that were seen once more, after the cycle was closed.
    """

    origin: str
    cause: str
    edges: list[Edge] = Field(default_factory=list[Edge])
    confirmed: int = 0

    def along(self, edges: Sequence[Edge], confirmed: int = 0) -> Probe:
        """Return the probe as it goes on, with these edges."""
        return Probe(origin=self.origin, cause=self.cause, edges=list(edges), confirmed=confirmed)


class Break(Wire):
    """That a wait is to be given up: the body of the signal `break`. `edges` are the cycle that it is part of."""

    id: str
    origin: str
    edges: list[Edge] = Field(default_factory=list[Edge])

    @property
    def reason(self) -> str:
        """Why the wait is given up, in words."""
        return (
            f"given up: all wait for each other, {in_words(self.edges)}; this question gave way as the least important "
            "of them; go on without its answer, or ask somebody else"
        )


class Told(NamedTuple):
    """A signal that is to be sent to the workflow `to`."""

    to: str
    signal: Literal["probe", "break"]
    body: Probe | Break


def address_of(node: str) -> str:
    """Return the address of the workflow that a node is part of."""
    return node.partition("#")[0]


def in_words(edges: Sequence[Edge]) -> str:
    """Return a cycle as `agent/ada → agent/bob → agent/ada`."""
    return " → ".join([*(edge.node for edge in edges), edges[-1].to]) if edges else ""


def victim(edges: Sequence[Edge]) -> Edge:
    """Return which wait of a cycle is broken: the least important, then the youngest, then by its names."""
    return max(edges, key=lambda edge: (edge.priority, edge.since, edge.node, edge.id))


def closes(node: str, to: str, waiting: Sequence[str]) -> str:
    """Return the cycle that `node` would close by waiting for `to`, in words, or nothing.

    `waiting` are those who wait for what comes of the work that `node` does, the outermost first.
    """
    chain = [*waiting, node]
    return " → ".join([*chain[chain.index(to) :], to]) if to in chain else ""


class Waits(Wire):
    """The open waits of one workflow by the ids of their messages, and which ones were over lately."""

    open: dict[str, Wait] = Field(default_factory=dict[str, Wait])
    over: list[str] = Field(default_factory=list[str])
    passed: list[str] = Field(default_factory=list[str])
    """Which probes were passed on by which node."""

    def begin(self, wait: Wait) -> None:
        """Open a wait. Call it before its message is sent."""
        self.open[wait.id] = wait

    def end(self, message_id: str) -> Wait | None:
        """Close a wait, whatever came of it, and return it; None where there is none."""
        if (wait := self.open.pop(message_id, None)) is None:
            return None
        self.over.append(short_digest(message_id))
        del self.over[:-_OVER]
        if not self.open:
            self.passed.clear()
        return wait

    def was_over(self, message_id: str) -> bool:
        """Whether there was a wait for that message, and it is over."""
        return short_digest(message_id) in self.over

    def of(self, node: str) -> list[Wait]:
        """Return what `node` waits for."""
        return [wait for wait in self.open.values() if wait.node == node]

    def overdue(self, now: float) -> list[Wait]:
        """Return the waits whose deadline has passed, the earliest first."""
        late = [wait for wait in self.open.values() if wait.deadline is not None and wait.deadline <= now]
        return sorted(late, key=lambda wait: (wait.deadline or 0.0, wait.id))

    @property
    def next_deadline(self) -> float | None:
        """When the next deadline is."""
        return min((wait.deadline for wait in self.open.values() if wait.deadline is not None), default=None)

    def asked(self, edge: Edge) -> list[Told]:
        """A question arrived, for whose answer `edge.node` waits. Return the probes that are to be sent."""
        return self._along(edge.to, Probe(origin=edge.node, cause=edge.id, edges=[edge]))

    def probed(self, probe: Probe, owes: Callable[[str], bool]) -> list[Told]:
        """A probe arrived. `owes` says whether the answer to a message is still owed. Return what is to be sent."""
        if not probe.edges:
            return self._along(probe.origin, probe)
        if probe.confirmed:
            return self._confirmed(probe)
        last = probe.edges[-1]
        if not owes(last.id):
            return []
        if last.to == probe.origin:
            return self._came_back(probe)
        if any(edge.node == last.to for edge in probe.edges) or len(probe.edges) >= MOST_EDGES:
            return []  # A cycle without the origin is found by the probe of its own last wait.
        return self._along(last.to, probe)

    def broken(self, given: Break) -> tuple[Wait | None, list[Told]]:
        """A wait is to be given up. Return it, if it is still open, and what is to be sent."""
        return self.end(given.id), [_look_again(given.origin, given.id)]

    def _along(self, node: str, probe: Probe) -> list[Told]:
        """Pass a probe on along the waits of `node`, unless it passed one of the same origin and cause before."""
        waits = self.of(node)
        if not waits or not self._first(f"{node} {probe.origin} {probe.cause}"):
            return []
        return [Told(address_of(wait.to), "probe", probe.along([*probe.edges, wait.edge])) for wait in waits]

    def _first(self, passing: str) -> bool:
        digest = short_digest(passing)
        if digest in self.passed:
            return False
        self.passed.append(digest)
        del self.passed[:-_PASSED]
        return True

    def _came_back(self, probe: Probe) -> list[Told]:
        first = self.open.get(probe.edges[0].id)
        if first is None:
            return self._along(probe.origin, _anew(probe.origin, probe.edges[0].id))
        if not self._first(f"back {probe.origin} {probe.cause}"):
            return []
        # Only who waits knows since when.
        return self._confirmed(probe.along([first.edge, *probe.edges[1:]]))

    def _confirmed(self, probe: Probe) -> list[Told]:
        edge = probe.edges[probe.confirmed]
        if edge.id not in self.open:
            return [_look_again(probe.origin, edge.id)]
        confirmed = probe.confirmed + 1
        if confirmed < len(probe.edges):
            owner = address_of(probe.edges[confirmed].node)
            return [Told(owner, "probe", probe.along(probe.edges, confirmed))]
        given_up = victim(probe.edges)
        given = Break(id=given_up.id, origin=probe.origin, edges=probe.edges)
        return [Told(address_of(given_up.node), "break", given)]


def _look_again(origin: str, over: str) -> Told:
    return Told(address_of(origin), "probe", _anew(origin, over))


def _anew(origin: str, over: str) -> Probe:
    """Return the probe that begins once the wait `over` is. One of the same message began before, when it arrived."""
    return Probe(origin=origin, cause=f"over {over}")
