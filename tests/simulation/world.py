"""A small world around one agent, in which everything that happens is drawn from one seed."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob

from aos.conversation import UserItem
from aos.message import Reply
from aos.views import Farewell
from aos_workflows.migrations import dump_state
from simulation.activities import Activities, at_once
from simulation.model import SimulatedModel, check_paired
from simulation.people import People, Sent, payload
from simulation.run import CONVERTER
from simulation.server import Server
from simulation.store import Fuse, MemoryStore
from simulation.truth import Broken, Truth

_NAME = "sim"
_IN_FLIGHT = 16
_ASKING = 6
_ROUNDS = 3000
_TALK = 80
_FORGIVEN = {"ReplyForgotten", "AgentStopped", "MessageFailed"}


class World:
    """An agent, those who speak to it, and what can go wrong between them.

    Args:
        seed: What chance is drawn from.
        forgets: Whether the agent has room for so few streams and ids that it forgets some: see `limits`.
    """

    def __init__(self, seed: int, *, forgets: bool = False) -> None:
        self._chance = chance = Random(seed)
        self._fuse = Fuse()
        self.store = MemoryStore(self._fuse)
        self.truth = Truth(self.store, forgets=forgets)
        self._model = SimulatedModel(chance, self.truth, self._fuse)
        self._work = Activities(self.store, self._model, chance, self.truth, self._fuse)
        self._people = People(chance, forgotten=forgets)
        self._spec = self._birth()
        self.server = Server(_NAME, payload(self._spec), chance, self.truth, self._work, self._fuse)
        self.server.recorded = self._recorded
        self.server.told = self._told
        self.server.arrivals = self._arrivals
        self._network: list[Sent] = []
        self._came: dict[bytes, Sent] = {}
        self._asking: dict[str, Sent] = {}
        self._configured: dict[str, dict[str, Any]] = {}
        self._talkative = chance.choice((2, 3, 5, 7, 16))
        self._stopped = False
        self._paused = False

    def _birth(self) -> dict[str, Any]:
        draw = self._chance.choice
        spec: dict[str, Any] = {"name": _NAME, "tools": draw((["hammer", "set_timer"], ["hammer"], []))}
        spec |= {"batch": draw((1, 3, 10, 10)), "max_steps": draw((2, 4, 20)), "max_repeats": draw((1, 3))}
        spec |= {"context_tokens": draw((1000, 32_000)), "rollover_events": draw((50, 100, 400))}
        spec["triggers"] = self._triggers()
        return spec

    def _triggers(self) -> list[dict[str, Any]]:
        triggers: list[dict[str, Any]] = [{"type": "event", "event": "order.*", "text": "An order."}]
        if self._chance.random() < 0.4:
            every = self._chance.choice((60, 600.5))
            triggers.append(
                {"type": "interval", "every": every, "jitter": self._chance.choice((0, 7)), "text": f"every {every}"}
            )
        if self._chance.random() < 0.1:
            triggers.append({"type": "cron", "cron": "*/20 * * * *", "text": "by the calendar"})
        if self._chance.random() < 0.2:
            triggers.append({"type": "interval", "every": 300})
        return triggers

    # Living

    def live(self, events: int) -> None:
        """Have `events` things happen, or a few more, then let everything come to rest and look at it.

        Raises:
            Broken: The agent did what it must never do.
        """
        server = self.server
        self._talkative *= max(1, events // _TALK)
        try:
            while server.events < events and not server.ended:
                self._happen()
            self._come_to_rest()
        finally:
            server.run.lose()

    def _happen(self) -> None:
        server, chance = self.server, self._chance
        draw = chance.random()
        if draw < 0.33:
            self._speak()
        elif draw < 0.54:
            self._deliver(chance.choice((1, 1, 2, 5, 15)))
        elif draw < 0.74:
            server.task()
        elif draw < 0.92:
            self._work_on()
        elif draw < 0.95:
            server.pass_time(server.now + chance.choice((0.5, 20, 70, 700)))
        elif draw < 0.96:
            server.suggested = True
        elif draw < 0.965:
            self._people.renew()
        elif draw < 0.985:
            self._control()
        elif draw < 0.995:
            self._ask_around()
        else:
            self._evict()

    def _speak(self) -> None:
        for _ in range(self._chance.choice((1, 2, 2, 4, 8))):
            if len(self._network) > _IN_FLIGHT:
                return
            draw = self._chance.random()
            told = self._people.count >= self._talkative
            if told and not self._came:
                return
            if told or (self._came and draw < 0.4):
                old = self._chance.choice(list(self._came.values()))
                if self._people.may_repeat(old):
                    self.server.note(f"{old.known['id']} is sent again")
                    self._network.append(old.copy())
                continue
            sent = (
                self._people.message()
                if draw < 0.95
                else self._people.event()
                if draw < 0.98
                else self._people.rubbish()
            )
            self.server.note(f"{sent.kind} {sent.known.get('id')} is sent")
            self._network.append(sent)

    def _deliver(self, count: int) -> None:
        """Let messages come, in any order: some come again later, some get lost and are sent again."""
        server, chance = self.server, self._chance
        for _ in range(min(count, len(self._network))):
            at = chance.randrange(len(self._network)) if chance.random() < 0.3 else 0
            sent = self._network.pop(at)
            if sent.sure and chance.random() < 0.5:
                server.note(f"a copy of {sent.known['id']} is lost")
                continue
            if server.dies(0.05):
                server.note(f"{sent.kind} {sent.known.get('id')} is lost, and will be sent again")
                self._network.append(sent)
                continue
            self._come(sent)
            if server.dies(0.15) and self._people.may_repeat(sent):
                self._network.append(sent.copy())

    def _come(self, sent: Sent) -> None:
        server = self.server
        if sent.kind == "ask":
            if len(self._asking) >= _ASKING:
                self._network.append(sent)
                return
            sent.asked += 1
            update = f"{sent.known['id']}/{sent.asked}"
            self._asking[update] = sent
            server.update("ask", update, sent.payload)
        else:
            server.signal(sent.kind, sent.payload)
        self._came[sent.payload.data] = sent
        server.note(f"{sent.kind} {sent.known.get('id')} comes")

    def _arrivals(self) -> None:
        if self.server.dies(0.3):
            self._deliver(2)

    def _work_on(self) -> None:
        server = self.server
        if server.activities:
            server.attempt(self._chance.choice(list(server.activities)))
        else:
            server.task()

    def _control(self) -> None:
        server, draw = self.server, self._chance.random()
        if draw < 0.55:
            self._paused = not self._paused
            server.note("pause" if self._paused else "resume")
            server.signal("pause" if self._paused else "resume", None)
        elif draw < 0.95:
            changes: dict[str, Any] = {"batch": self._chance.choice((1, 4)), "max_steps": self._chance.choice((3, 9))}
            if draw > 0.75:
                changes["triggers"] = self._triggers()
            update = f"configure/{server.events}"
            self._configured[update] = changes
            server.note(f"configure {changes}")
            server.update("configure", update, payload(changes))
        elif not self._stopped and draw > 0.97:
            self._stopped = True
            server.note("stop")
            server.signal("stop", payload({"when": self._chance.choice(("now", "turn"))}))

    def _ask_around(self) -> None:
        """Look at the agent from outside: that changes nothing, and tells the truth."""
        server = self.server
        if not server.run.begun or server.ended:
            return
        server.note("query")
        state = server.run.state
        before = dump_state(state)
        status = json.loads(server.run.query("status", None, server.now))
        if (status["waiting"], status["handled"], status["failed"]) != (
            state.mailbox.count,
            state.handled,
            state.failed,
        ):
            raise Broken(f"the status tells {status}")
        ids = list(self.truth.letters)[-20:]
        told = json.loads(server.run.query("replies", {"ids": ids}, server.now))
        for entry in told:
            letter = self.truth.letters[entry["id"]]
            # Whether a message lies among those set aside is not looked up, so it may be called pending when it is not.
            if (entry["status"] == "pending") != (letter.reply is None) and not (
                entry["status"] == "pending" and state.mailbox.aside
            ):
                raise Broken(f"a query tells {entry} where the reply is {letter.reply}")
        if dump_state(server.run.state) != before:
            raise Broken("a query changed the state")

    def _evict(self) -> None:
        """Throw the worker's cache away, and compare what a replay comes to."""
        server = self.server
        if not server.run.begun or server.ended:
            return
        server.note("evicted")
        before = dump_state(server.run.state)
        if server.run.replayed() != before:
            raise Broken("a replay comes to another state")

    # What is told

    def _recorded(self, jobs: list[WorkflowActivationJob]) -> None:
        server, truth = self.server, self.truth
        for job in jobs:
            if job.HasField("signal_workflow") and job.signal_workflow.input:
                if sent := self._came.get(job.signal_workflow.input[0].data):
                    self._delivered(sent)
            elif job.HasField("do_update") and job.do_update.name == "ask" and server.run.accepted(job.do_update.id):
                truth.delivered(self._asking_of(job).known, server.now)
        truth.look(server.run.state, server.now)

    def _asking_of(self, job: WorkflowActivationJob) -> Sent:
        return self._came[job.do_update.input[0].data]

    def _delivered(self, sent: Sent) -> None:
        if sent.known.get("rubbish") or (sent.kind == "event" and not sent.known["type"].startswith("order.")):
            self.truth.buried += 1
        else:
            self.truth.delivered(sent.known, self.server.now)

    def _told(self, update: str, result: Payload | None, problem: str) -> None:
        if changes := self._configured.pop(update, None):
            self._spec_is(changes, result, problem)
            return
        sent = self._asking.pop(update)
        if result is None:
            if problem not in _FORGIVEN:
                raise Broken(f"an ask for {sent.known['id']} failed with {problem!r}")
            self._failed_ask(sent, problem)
            return
        reply = Reply.model_validate_json(result.data)
        if reply.id != sent.known["id"]:
            raise Broken(f"an ask for {sent.known['id']} is answered with {reply.id}")
        if reply.status == "pending":
            if sent.known.get("wait", True):
                self._network.append(sent)
        elif reply.status == "done" and not self.truth.is_answer(reply.text, reply.id):
            raise Broken(f"{reply.id} is answered with {reply.text[:60]!r}, which is no answer to it")

    def _failed_ask(self, sent: Sent, problem: str) -> None:
        letter = self.truth.letters.get(sent.known["id"])
        status = letter.reply.status if letter and letter.reply else ""
        if problem == "ReplyForgotten" and status:
            raise Broken(f"the reply to {sent.known['id']}, {status}, is neither in the book nor in the store")

    def _spec_is(self, changes: dict[str, Any], result: Payload | None, problem: str) -> None:
        if result is None:
            if problem != "AgentStopped":
                raise Broken(f"configure {changes} failed with {problem!r}")
            return
        told = json.loads(result.data)
        if told["batch"] != changes["batch"] or told["max_steps"] != changes["max_steps"]:
            raise Broken(f"configure {changes} came to {told}")

    # Coming to rest

    def _come_to_rest(self) -> None:
        server = self.server
        server.calm = self._model.calm = True
        if self._paused:
            server.signal("resume", None)
        for _ in range(_ROUNDS):
            if server.ended:
                self._check_farewell()
                return
            self._deliver(len(self._network))
            if server.activities:
                self._work_on()
            server.task()
            if not server.ended and self._rests():
                if (due := self._woken()) is None:
                    break
                server.pass_time(due)
        else:
            raise Broken(f"the agent does not come to rest: {server.run.state!r}"[:3000])
        self._check_rest()

    def _rests(self) -> bool:
        server = self.server
        return server.run.begun and not (self._network or server.inbox or server.activities)

    def _woken(self) -> float | None:
        """Return when something happens that must happen before the end: a timer, or what makes quiet mail be read."""
        state = self.server.run.state
        if (late := min(self.server.timers.values(), default=None)) and late <= self.server.now:
            return self.server.now
        if state.mailbox.quiet and not state.turn:
            # Only what wakes the agent makes it read what does not.
            sent = self._people.message()
            while not sent.known.get("wake", True) or not sent.known["id"]:
                sent = self._people.message()
            self._network.append(sent)
            return self.server.now
        return min((timer.due for timer in state.schedule.timers), default=None)

    def _check_rest(self) -> None:
        server = self.server
        state = server.run.state
        if self._asking or self._configured:
            raise Broken(f"never answered: {[*self._asking, *self._configured][:5]}")
        items = [item for _, item in self._backwards(state.head)][::-1]
        # What an interrupted turn came to stands before the next message.
        check_paired([*items, *state.notes])
        said = [item.id for item in (*items, *state.notes) if isinstance(item, UserItem)]
        self.truth.finally_holds(state, said, server.now)
        window = at_once(self._work.conversations.window(state.head))
        check_paired([*window.items, *state.notes])
        if message_id := next(iter(self.truth.letters), ""):
            self._check_reply(message_id)

    def _backwards(self, head: str) -> list[tuple[str, Any]]:
        async def everything() -> list[tuple[str, Any]]:
            return [entry async for entry in self._work.conversations.newest_first(head)]

        return at_once(everything())

    def _check_reply(self, message_id: str) -> None:
        """Ask again for a reply of long ago: it is in the book or in the store."""
        letter = self.truth.letters[message_id]
        known = next((sent for sent in self._came.values() if sent.known.get("id") == message_id), None)
        if known is None or letter.reply is None or known.kind == "event":
            return
        sent = Sent("ask", known.payload, known.known)
        self._asking[f"{message_id}/again"] = sent
        self.server.update("ask", f"{message_id}/again", sent.payload)
        for _ in range(20):
            self._work_on()
            self.server.task()
            if f"{message_id}/again" not in self._asking:
                return
        raise Broken(f"the reply to {message_id} does not come again")

    def _check_farewell(self) -> None:
        farewell = CONVERTER.from_payload(self.server.farewell or Payload(), Farewell)
        left = set(farewell.undelivered)
        for ref in farewell.undelivered_pages:
            for entry in json.loads(self.store.blobs[ref])["entries"]:
                if "message" in entry:
                    left.add(entry["message"]["id"])
        if left != self.truth.open:
            raise Broken(f"the farewell tells of {sorted(left)}, undelivered are {sorted(self.truth.open)}")
