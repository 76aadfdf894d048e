"""Asking members, and what comes of it: an answer, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from typing import Any, cast

from temporalio import workflow

from aos.limits import clip
from aos.message import CHAIN, Message, Reply
from aos.team_spec import Member
from aos_workflows.outbox import Outgoing
from aos_workflows.seen import short_digest
from aos_workflows.team.alarm import LazyAlarm
from aos_workflows.team.briefing import brief
from aos_workflows.team.children import Children
from aos_workflows.team.course import Said
from aos_workflows.team.roster import FINISH
from aos_workflows.team.state import TeamState
from aos_workflows.team.task import Arrived, Asked, Task
from aos_workflows.waits import Wait, address_of, closes

FIRST_LOOK, LONGEST_PAUSE = 10.0, 300.0
"""After how much silence it is looked whether a member is alive, in seconds: the first time, and at the most."""


class Asking:
    """Asks members and takes in what comes of it.

    Args:
        state: The team.
        alarm: Rings when somebody was waited for too long.
        ready: Is told of a task that has something to work on.
        post: Begins to send what is in the outbox.
    """

    def __init__(
        self, state: TeamState, alarm: LazyAlarm, ready: Callable[[str], None], post: Callable[[], None]
    ) -> None:
        self._state = state
        self._alarm = alarm
        self._ready = ready
        self._post = post
        self.children = Children(state, self._started, self._died)
        self._asked: dict[str, tuple[str, str]] = {
            ask.id: (task.id, member) for task in state.tasks.values() for member, ask in task.asks.items()
        }
        """By the id of the message: the task and the member."""

    def ask(self, task: Task, name: str, told: str, *, alone: bool) -> None:
        """Ask a member, or an agent from outside by its address. What prevents it is told to the task."""
        state, now = self._state, workflow.time()
        member = state.member(name)
        address = member.where if member else name
        task.turns += 1
        if problem := self._problem(task, name, address, member):
            self._lost(task, name, problem)
            return
        new = name not in task.told
        text, parts = brief(state.spec, task, member, told, alone=alone)
        task.told[name] = task.told.get(name, 0) if alone else task.count
        ask = Asked(
            id=self._message_id(task),
            to=address,
            due=now + state.spec.patience,
            look=now + FIRST_LOOK,
            pause=FIRST_LOOK,
            told=told,
            alone=alone,
        )
        outer = task.message
        # Work for an important purpose is important, whoever does it: it must not give way to what waits for less.
        importance = outer.importance or state.spec.priority
        due = min(ask.due, task.deadline or ask.due)
        message = Message(
            text=text,
            id=ask.id,
            sender=state.address,
            to=address,
            kind="task",
            priority=outer.priority,
            importance=importance,
            parts=parts,
            images=outer.images if new else [],
            # In whole seconds, for it is in two histories.
            deadline=datetime.fromtimestamp(ceil(due), UTC),
            reply_to=state.address,
            causation=[*outer.causation, outer.id][-CHAIN:],
            waiting=[*outer.waiting, task.node],
            task=task.node,
            traceparent=outer.traceparent,
        )
        standing = state.standing_of(name)
        standing.turns += 1
        standing.load += 1
        task.asks[name] = ask
        self._asked[ask.id] = (task.id, name)
        state.waits.begin(Wait(node=task.node, to=address, id=ask.id, since=now, priority=importance, deadline=ask.due))
        self._alarm.at_most(min(due, ask.look))
        self._send(member, message)

    def _problem(self, task: Task, name: str, address: str, member: Member | None) -> str:
        if member is None and "/" not in name:
            return f"there is no member {name!r}"
        waiting = task.message.waiting
        if len(waiting) >= CHAIN:
            return f"the task has {len(waiting)} others waiting for it one behind the other, more are not allowed"
        teams = [node for node in (*waiting, task.node) if "#" in node and address_of(node) == address]
        if cycle := closes(task.node, teams[-1] if teams else address, waiting):
            return f"it waits for this task itself: {cycle}"
        return ""

    def _message_id(self, task: Task) -> str:
        # After a reset the same turn may ask another thing, and a member answers one id once.
        tag = f"{workflow.random().getrandbits(32):08x}"
        named = f"{task.node}/{task.turns}/{tag}"
        return named if len(named) <= 200 else f"{short_digest(named)}/{tag}"

    def _send(self, member: Member | None, message: Message) -> None:
        state, body = self._state, message.model_dump(mode="json")
        if member and member.is_child:
            standing = state.standing_of(member.name)
            if standing.condition == "gone":
                self.children.revive(member)
            if standing.condition == "starting":
                state.hold(message.to, body)
                return
        state.outbox.put(message.to, "send", body)

    # What comes of it

    def replied(self, reply: Reply) -> None:
        """A member has answered. What nobody waits for any more is left alone."""
        if reply.status == "pending" or (taken := self._take(reply.id)) is None:
            return
        task, name = taken
        if standing := self._state.standing.get(name):
            standing.condition, standing.why, standing.deaths = "ready", "", 0
        if reply.status != "done":
            self._lost(task, name, reply.error or f"its work was {reply.status}")
            return
        called = [tool.rpartition("/")[2] for tool in reply.called]
        said = Said(
            source=name,
            text=reply.text,
            ref=reply.ref,
            handoff=self._member_at(reply.handoff),
            stop=FINISH in called,
            called=reply.called,
            usage=reply.usage,
            at=workflow.time(),
        )
        task.arrived.append(Arrived(member=name, said=said, output=reply.output))
        self._ready(task.id)

    def give_up(self, message_id: str, reason: str) -> None:
        """The answer to a message is not waited for any more; the task goes on without it."""
        if taken := self._take(message_id):
            self._lost(*taken, reason)

    def give_up_member(self, name: str, reason: str) -> None:
        """No answer of a member is waited for any more."""
        for task in [*self._state.tasks.values()]:
            if ask := task.asks.get(name):
                self.give_up(ask.id, reason)

    def forget(self, task: Task) -> None:
        """The task is over: nobody's answer to it matters any more."""
        for ask in [*task.asks.values()]:
            self._take(ask.id)

    def ask_again(self, name: str) -> None:
        """There is another member of that name now: it is asked what the one before has not answered."""
        for task in [*self._state.tasks.values()]:
            task.told.pop(name, None)
            if ask := task.asks.get(name):
                self._take(ask.id)
                task.turns -= 1
                self.ask(task, name, ask.told, alone=ask.alone)

    def undelivered(self, letter: Outgoing, reason: str) -> bool:
        """A signal found nobody. Return whether it was a question to a member."""
        message_id = _id_of(letter)
        if message_id not in self._asked:
            return letter.signal == "send"
        task_id, name = self._asked[message_id]
        ask = self._state.tasks[task_id].asks[name]
        member = self._state.member(name)
        if member is None:
            self.give_up(message_id, f"nobody is there: {reason}")
            return True
        if self._state.standing_of(name).condition != "starting":
            self.children.is_gone(name, f"nobody is there: {reason}")
        if not ask.again and self.children.revive(member):
            ask.again = True
            self._state.hold(letter.to, letter.body)
        else:
            self.give_up(message_id, "it does not live any more")
        return True

    def is_gone(self, address: str) -> None:
        """Somebody who was asked is found not to live any more."""
        for member in self._state.spec.members:
            if member.where == address and self._state.standing_of(member.name).condition == "starting":
                return  # It was started anew meanwhile.
            if member.where == address:
                self.children.is_gone(member.name, "it does not live any more")
        for task in [*self._state.tasks.values()]:
            for ask in [*task.asks.values()]:
                if ask.to == address:
                    self.give_up(ask.id, "it does not live any more")

    def _take(self, message_id: str) -> tuple[Task, str] | None:
        if (asked := self._asked.pop(message_id, None)) is None:
            return None
        task, name = self._state.tasks[asked[0]], asked[1]
        del task.asks[name]
        self._state.waits.end(message_id)
        if standing := self._state.standing.get(name):
            standing.load = max(0, standing.load - 1)
            if not standing.load and self._state.member(name) is None:
                del self._state.standing[name]
        return task, name

    def _lost(self, task: Task, name: str, reason: str) -> None:
        task.arrived.append(Arrived(member=name, reason=clip(reason, 500)))
        self._ready(task.id)

    def _member_at(self, target: str) -> str:
        if not target:
            return ""
        return next((member.name for member in self._state.spec.members if member.where == target), target)

    def _started(self, member: Member) -> None:
        state = self._state
        due = [letter for letter in state.held if letter.to == member.where]
        state.held = [letter for letter in state.held if letter.to != member.where]
        for letter in due:
            state.outbox.put(letter.to, letter.signal, letter.body)
        self._post()

    def _died(self, name: str, reason: str) -> None:
        member = self._state.member(name)
        address = member.where if member else ""
        self._state.held = [letter for letter in self._state.held if letter.to != address]
        # What is still on its way will find nobody: then it is started anew, and asked once more.
        on_their_way = [_id_of(letter) for letter in self._state.outbox.waiting.get(address, [])]
        for task in [*self._state.tasks.values()]:
            if (ask := task.asks.get(name)) and ask.id not in on_their_way:
                self.give_up(ask.id, reason)


def _id_of(letter: Outgoing) -> str:
    body = cast("dict[str, Any]", letter.body)
    return str(body.get("id", "")) if letter.signal == "send" else ""
