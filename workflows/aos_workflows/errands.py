"""The tools by which an agent speaks to others: what is sent, what is waited for, and what ends a turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from aos.address import full_address, kind_of
from aos.conversation import ToolCall
from aos.errors import AosError, InvalidInput
from aos.limits import MESSAGE_BYTES, RESULT_INLINE_BYTES, clip, cut_bytes
from aos.message import CHAIN, Kind, Message
from aos.reading import check_size, read_object
from aos.tool_contracts import ToolOutcome
from aos.tools import by_name
from aos_activities.builtin.messaging import USUAL_ASK, messaging_tools
from aos_activities.directory import Able, Conditions, DirectoryActivities, FindBySkill
from aos_workflows.messaging import Messaging
from aos_workflows.options import DIRECTORY
from aos_workflows.state import AgentState, Errand, Turn
from aos_workflows.views import awaited
from aos_workflows.waits import Wait, closes

FIRST_LOOK, LONGEST_PAUSE = 10.0, 3600.0
"""Seconds after which it is looked whether the one who is asked lives; each pause is twice the one before."""

_SLACK = 0.05
_TOOLS = by_name(messaging_tools)


class Refused(AosError):
    """A message that is not sent; the text says why, and what to do instead."""


class Errands:
    """Carries out the messaging tools of an agent."""

    def __init__(self, state: AgentState, messaging: Messaging) -> None:
        self._state = state
        self._messaging = messaging
        self._looking = 0
        self._looks: dict[str, tuple[float, float]] = {}
        """By message, when it is looked next whether its recipient lives, and the pause before that."""
        self._due = 0.0
        self._watching: asyncio.Task[None] | None = None

    @property
    def at_rest(self) -> bool:
        """Whether no activity of an errand runs, so that the workflow may roll over."""
        return not self._looking

    def begin(self, turn: Turn, index: int, call: ToolCall) -> ToolOutcome | None:
        """Carry a call out, and return what came of it. None: it waits for others, and `work` goes on with it."""
        try:
            given = _TOOLS[call.name].validate(call.arguments)
            match call.name:
                case "send":
                    return self._send(turn, index, given)
                case "ask":
                    return self._ask(turn, index, given)
                case "delegate":
                    return self._delegate(turn, index, given)
                case "handoff":
                    return _hand_off(turn, str(given["to"]), str(given.get("text", "")))
                case _:
                    return _finish(turn, str(given.get("text", "")))
        except (InvalidInput, Refused) as error:
            return ToolOutcome(text=str(error), error=True)

    async def work(self, turn: Turn, index: int) -> ToolOutcome:
        """Return what came of a question. It takes up what was begun before a rollover."""
        assert turn.open
        errand = turn.open.errands[index]
        while True:
            if not errand.id and (problem := await self._find(turn, index, errand)):
                return ToolOutcome(text=problem, error=True)
            await self._settled(errand)
            if not errand.skill or not _passed_over(errand):
                return _outcome(errand)
            errand.to = errand.id = errand.lost = ""
            errand.came = None

    def give_up(self, turn: Turn) -> None:
        """Wait no longer for what the step under way waits for."""
        for errand in turn.open.errands.values() if turn.open else ():
            self._state.waits.end(errand.id)

    # Sending

    def _send(self, turn: Turn, index: int, given: Mapping[str, Any]) -> ToolOutcome:
        to = self._recipient(turn, str(given["to"]))
        fields = {"priority": given.get("priority", 3), "kind": "note"}
        message = self._message(turn, f"{index}", to, str(given["text"]), fields, given.get("data"))
        self._messaging.send(message)
        return ToolOutcome(text=f"sent to {to}, where it is read in time; nobody answers it")

    def _ask(self, turn: Turn, index: int, given: Mapping[str, Any]) -> None:
        to = self._recipient(turn, str(given["to"]))
        errand = Errand(text=str(given["text"]), seconds=float(given.get("deadline_seconds", USUAL_ASK)))
        self._put(turn, index, errand, to, given.get("data"))

    def _delegate(self, turn: Turn, index: int, given: Mapping[str, Any]) -> None:
        assert turn.open
        self._check_chain(turn)
        turn.open.errands[index] = Errand(
            text=str(given["text"]),
            skill=str(given["skill"]),
            seconds=float(given.get("deadline_seconds", USUAL_ASK)),
        )

    def _put(self, turn: Turn, index: int, errand: Errand, to: str, data: object = None) -> None:
        """Send a question to `to`, and wait for its answer."""
        assert turn.open
        now, own = workflow.time(), self._messaging.address
        part = f"{index}.{len(errand.tried)}" if errand.tried else f"{index}"
        deadline = min(now + errand.seconds, turn.deadline or float("inf"))
        fields: dict[str, Any] = {
            "kind": "question",
            "priority": turn.priority,
            "importance": turn.importance,
            "reply_to": own,
            "waiting": [*turn.waiting, own],
            "deadline": datetime.fromtimestamp(deadline, UTC),
        }
        message = self._message(turn, part, to, errand.text, fields, data)
        node = f"{to}#{message.id}" if kind_of(to) == "team" else to
        if cycle := closes(own, node, turn.waiting):
            raise Refused(
                f"not sent: {to} waits for what you do now, and so it cannot answer: {cycle}; go on without its answer"
            )
        errand.to, errand.id = to, message.id
        turn.open.errands[index] = errand
        wait = Wait(
            node=own,
            to=node,
            id=message.id,
            since=now,
            priority=turn.importance or turn.priority,
            kind="delegate" if errand.skill else "ask",
            deadline=deadline,
            key=str(index),
        )
        self._messaging.ask(message, wait)
        workflow.set_current_details(awaited(self._state))
        self.watch()

    def _message(
        self, turn: Turn, part: str, to: str, text: str, fields: Mapping[str, Any], data: object = None
    ) -> Message:
        state = self._state
        kind: Kind = fields.get("kind", "note")
        message = read_object(
            Message,
            "message",
            {
                **fields,
                "kind": kind,
                "text": text,
                # The head tells messages apart that a reset workflow sends anew after another conversation.
                "id": f"{state.life}/{turn.number}/{turn.step}/{part}/{state.head[:16]}",
                "sender": self._messaging.address,
                "to": to,
                "causation": [*turn.causation, *turn.ids[-1:]],
                "parts": [] if data is None else [{"type": "data", "data": data}],
            },
        )
        check_size("message", message, MESSAGE_BYTES)
        return message

    def _recipient(self, turn: Turn, to: str) -> str:
        try:
            address = full_address(to)
        except ValueError as error:
            raise Refused(f"{error}; write to agent/<name> or team/<name>") from None
        if kind_of(address) == "topic":
            raise Refused(f"{address} is a topic, and nobody answers there; it takes publications")
        if address == self._messaging.address:
            raise Refused("that is you; think it over yourself, or set a timer to be told later")
        self._check_chain(turn)
        return address

    def _check_chain(self, turn: Turn) -> None:
        if len(turn.causation) >= CHAIN:
            raise Refused(
                f"not sent: {CHAIN} messages led to this one already, each to the next, and that is the limit; "
                "answer with what you know"
            )

    # Delegating

    async def _find(self, turn: Turn, index: int, errand: Errand) -> str:
        """Put a question to the next agent that has the skill. Return why there is none."""
        try:
            able = await self._able(turn, errand)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return f"it cannot be found out who has the skill {errand.skill!r}: {clip(str(error.cause or error))}"
        for found in able:
            if found.paused or found.full:
                continue
            errand.tried.append(found.address)
            try:
                self._put(turn, index, errand, found.address)
                return ""
            except (InvalidInput, Refused) as error:
                return str(error)
        tried = f"; asked in vain: {', '.join(errand.tried)}" if errand.tried else ""
        idle = f"; paused or full: {', '.join(each.address for each in able)}" if able else ""
        return f"no agent that can take work has the skill {clip(errand.skill)!r}{tried}{idle}"

    async def _able(self, turn: Turn, errand: Errand) -> list[Able]:
        self._looking += 1
        try:
            return await workflow.execute_activity_method(
                DirectoryActivities.find_by_skill,
                FindBySkill(skill=errand.skill, but=[self._messaging.address, *turn.waiting, *errand.tried]),
                summary=f"who can {clip(errand.skill, 40)}",
                **DIRECTORY,
            )
        finally:
            self._looking -= 1

    # Waiting

    async def _settled(self, errand: Errand) -> None:
        self.watch()
        await workflow.wait_condition(lambda: errand.came is not None or bool(errand.lost))

    def watch(self) -> None:
        """See to it that the next deadline, or look at who is asked, is not missed. One timer serves all of them."""
        due = self._next_due()
        if due is None or (self._watching and not self._watching.done() and self._due <= due):
            return
        if self._watching:
            self._watching.cancel()
        self._watching = asyncio.create_task(self._watch())

    def _next_due(self) -> float | None:
        now, waits = workflow.time(), self._state.waits.open
        self._looks = {name: look for name, look in self._looks.items() if name in waits}
        for name in waits:
            self._looks.setdefault(name, (now + FIRST_LOOK, FIRST_LOOK))
        return (
            min(
                [*(due for due, _ in self._looks.values()), self._state.waits.next_deadline or float("inf")],
                default=None,
            )
            if waits
            else None
        )

    async def _watch(self) -> None:
        while (due := self._next_due()) is not None:
            self._due = due
            await workflow.sleep(max(0.0, due - workflow.time()), summary="until an answer is overdue")
            now = workflow.time() + _SLACK
            for wait in self._state.waits.overdue(now):
                taken = (wait.deadline or now) - wait.since
                self._messaging.lose(wait.id, f"{wait.to.partition('#')[0]} gave no answer within {taken:g} s")
            late = [name for name, (look, _) in self._looks.items() if look <= now and name in self._state.waits.open]
            for name in late:
                pause = min(self._looks[name][1] * 2, LONGEST_PAUSE)
                self._looks[name] = (now + pause, pause)
            if late:
                await self._look(late)

    async def _look(self, ids: list[str]) -> None:
        """Give up the questions to those who are gone."""
        asked = {name: self._state.waits.open[name].to.partition("#")[0] for name in ids}
        self._looking += 1
        try:
            found = await workflow.execute_activity_method(
                DirectoryActivities.conditions,
                Conditions(addresses=sorted(set(asked.values()))),
                summary="do those live who are waited for",
                **DIRECTORY,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return  # It is looked again later.
        finally:
            self._looking -= 1
        for name, address in asked.items():
            if found.get(address) == "gone":
                self._messaging.lose(name, f"{address} was stopped before it answered; ask somebody else")


def _hand_off(turn: Turn, to: str, text: str) -> ToolOutcome:
    if not any(heard.reply_to or heard.task for heard in turn.heard):
        text = "nobody could take it: this is no task of a team; use ask or send to have others work on it"
        return ToolOutcome(text=text, error=True)
    if turn.ends:
        return ToolOutcome(text="your turn ends already; only the first hand-off counts", error=True)
    turn.handoff, turn.last_words, turn.ends = to, text, True
    return ToolOutcome(text=f"handed on to {clip(to)}")


def _finish(turn: Turn, text: str) -> ToolOutcome:
    if turn.ends:
        return ToolOutcome(text="your turn ends already", error=True)
    turn.last_words, turn.ends = text, True
    return ToolOutcome(text="your turn ends with this")


def _passed_over(errand: Errand) -> bool:
    """Whether the next agent is to be asked: this one is gone, full, or too late."""
    return bool(errand.lost) or (errand.came is not None and bool(errand.came.retry_after))


def _outcome(errand: Errand) -> ToolOutcome:
    reply = errand.came
    if reply is None:
        return ToolOutcome(text=errand.lost, error=True)
    if reply.status != "done":
        return ToolOutcome(text=f"{errand.to} gave no answer: {reply.error or reply.status}", error=True)
    text = reply.text + (f"\n[{errand.to} handed on to {reply.handoff}]" if reply.handoff else "")
    if reply.ref:
        return ToolOutcome(text=cut_bytes(text, RESULT_INLINE_BYTES), ref=reply.ref, size=len(text.encode()))
    return ToolOutcome(text=text)
