"""A bare team: a parent and children that signal each other, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

from bench.floor.workflows import ROLLOVER_EVENTS, answer

with workflow.unsafe.imports_passed_through():
    from bench.measure import MESSAGE

_AT_ONCE = 100
"""Children that are started at a time."""

_TIMEOUT = timedelta(seconds=60)


@dataclass
class Words:
    """What a parent and a child say to each other: the body of their signals."""

    id: str
    text: str


@dataclass
class Family:
    """Everything that a parent is. `said` is what the children said last, but for the next one's own words."""

    children: list[str]
    born: bool = False
    turns: int = 0
    wanted: int = 0
    said: list[str] = field(default_factory=list[str])


@workflow.defn
class Child:
    """Answers each text with what one activity returns, by a signal to its parent."""

    @workflow.init
    def __init__(self, parent: str, waiting: list[Words] | None = None) -> None:
        self._waiting: list[Words] = waiting or []

    @workflow.run
    async def run(self, parent: str, waiting: list[Words] | None = None) -> None:
        """Live on, run after run."""
        while workflow.info().get_current_history_length() < ROLLOVER_EVENTS:
            await workflow.wait_condition(lambda: bool(self._waiting))
            asked = self._waiting.pop(0)
            text = await workflow.execute_activity(answer, asked.text, start_to_close_timeout=_TIMEOUT)
            await workflow.get_external_workflow_handle(parent).signal("reply", Words(asked.id, text))
        workflow.continue_as_new(args=[parent, self._waiting])

    @workflow.signal
    def send(self, words: Words) -> None:
        """Take a text in."""
        self._waiting.append(words)


@workflow.defn
class Parent:
    """Has its children speak, in turn or all at once, and takes in what they say."""

    @workflow.init
    def __init__(self, family: Family) -> None:
        self._family = family
        self._replies: dict[str, str] = {}
        self._taken = 0

    @workflow.run
    async def run(self, family: Family) -> None:
        """Live on, run after run."""
        if not family.born:
            await self._give_birth()
        while workflow.info().get_current_history_length() < ROLLOVER_EVENTS:
            await workflow.wait_condition(lambda: self._family.turns < self._family.wanted)
            await self._take_turn()
        workflow.continue_as_new(self._family)

    async def _give_birth(self) -> None:
        names = self._family.children
        for begin in range(0, len(names), _AT_ONCE):
            await asyncio.gather(
                *(
                    workflow.start_child_workflow(
                        Child.run,
                        args=[workflow.info().workflow_id, None],
                        id=name,
                        parent_close_policy=ParentClosePolicy.ABANDON,
                    )
                    for name in names[begin : begin + _AT_ONCE]
                )
            )
        self._family.born = True

    async def _take_turn(self) -> None:
        """Have the next child speak, which is told what the others said since its turn before."""
        family = self._family
        name = family.children[family.turns % len(family.children)]
        words = Words(f"turn-{family.turns}", "\n\n".join(family.said) or MESSAGE)
        await workflow.get_external_workflow_handle(name).signal("send", words)
        await workflow.wait_condition(lambda: words.id in self._replies)
        said = f"member-{family.turns % len(family.children)}: {self._replies.pop(words.id)}"
        family.said = [*family.said, said][1 - len(family.children) :]
        family.turns += 1

    @workflow.signal
    def take_turns(self, count: int) -> None:
        """Have the children take so many more turns."""
        self._family.wanted += count

    @workflow.update
    async def broadcast(self, text: str) -> int:
        """Have all children speak at once, and return how many have spoken."""
        await workflow.wait_condition(lambda: self._family.born)
        names = self._family.children
        await asyncio.gather(
            *(workflow.get_external_workflow_handle(name).signal("send", Words(name, text)) for name in names)
        )
        await workflow.wait_condition(lambda: len(self._replies) == len(names))
        return len([self._replies.pop(name) for name in names])

    @workflow.signal
    def reply(self, words: Words) -> None:
        """Take in what a child said."""
        self._replies[words.id] = words.text
        self._taken += 1

    @workflow.query
    def turns(self) -> int:
        """Return how many turns were taken."""
        return self._family.turns

    @workflow.query
    def taken(self) -> int:
        """Return how many replies this run has taken in."""
        return self._taken
