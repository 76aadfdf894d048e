"""What must be true of an agent, kept apart from it: who said what, in which order, and what became of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from aos.conversation import Item, SummaryItem, Usage, UserItem
from aos.message import Reply
from aos.spec import EventTrigger
from aos_activities.think import Thought, reply_link
from aos_workflows.mailbox import AGE, Envelope
from aos_workflows.schedule import trigger_key
from aos_workflows.state import AgentState
from simulation.store import MemoryStore

_ENDED = {"done", "interrupted", "failed"}


class Broken(AssertionError):
    """An agent did what it must never do."""


@dataclass(slots=True)
class Letter:
    """A message that the agent took in. `order` is that of arrival."""

    id: str
    sender: str
    priority: int
    mode: str
    wake: bool
    order: int
    at: float = 0.0
    own: bool = False
    heard: bool = False
    reply: Reply | None = None

    @property
    def group(self) -> tuple[str, int, str, bool]:
        """Letters of one group keep their order."""
        return (self.sender, self.priority, self.mode, self.wake)

    @property
    def urgency(self) -> tuple[float, int]:
        """Letters of a lower urgency come first."""
        return (0.0 if self.mode == "interrupt" else self.at + self.priority * AGE, self.order)


class Truth:
    """The ledger of a simulated world.

    Args:
        store: Where the agent sets mail aside.
        forgets: Whether so little is remembered of streams that new messages of old ones may be refused.
    """

    def __init__(self, store: MemoryStore, *, forgets: bool) -> None:
        self.letters: dict[str, Letter] = {}
        self.open: set[str] = set()
        self.charged: dict[str, Usage] = {}
        self.buried = 0
        """Dead letters that are not failed messages: unreadable ones, and events that nobody wants."""
        self.fired: Counter[str] = Counter()
        self._shown: dict[str, Sequence[Item]] = {}
        self._store = store
        self._forgets = forgets
        self._pages: dict[str, list[str]] = {}
        self._last_heard: dict[tuple[str, int, str, bool], int] = {}
        self._counts: Counter[str] = Counter()
        self._timers: dict[str, float] = {}
        self._timer_texts: set[str] = set()
        self._ticks: dict[str, tuple[float, float]] = {}
        self._ticked: Counter[str] = Counter()
        self._tick_texts: tuple[object, dict[str, str]] = (None, {})
        self._turns = 0
        self._thought: set[str] = set()
        self._fresh: list[str] = []
        self._forgotten = 0
        self._orders = count()

    # What the world tells

    def delivered(self, message: dict[str, Any], at: float) -> None:
        """A message came to the agent, for the first time or again. `at`: in seconds since 1970."""
        if not message.get("id"):
            return
        if message["id"] not in self.letters:
            self._add(
                Letter(
                    id=message["id"],
                    sender=message.get("sender", ""),
                    priority=message.get("priority", 3),
                    mode=message.get("mode", "queue"),
                    wake=message.get("wake", True),
                    order=next(self._orders),
                    at=at,
                )
            )
            self._fresh.append(message["id"])

    def _add(self, letter: Letter) -> None:
        self.letters[letter.id] = letter
        self.open.add(letter.id)

    def called_model(self, key: str) -> None:
        """The model is called for a step."""
        if key in self._thought:
            raise Broken(f"the model is called again for {key}, though its answer was stored")

    def stored_thought(self, key: str) -> None:
        """The answer to a step is durable."""
        self._thought.add(key)

    def answered(self, text: str, shown: Sequence[Item]) -> None:
        """The model gave an answer, having been shown these items."""
        self._shown[text] = shown

    def is_answer(self, text: str, message_id: str) -> bool:
        """Whether the model gave that answer when it was shown the message, or a summary that stands for it."""
        return any(
            isinstance(item, SummaryItem) or (isinstance(item, UserItem) and item.id == message_id)
            for item in self._shown.get(text, ())
        )

    def sets_timer(self) -> str:
        """Return the text of a new timer."""
        text = f"timer {len(self._timer_texts)}"
        self._timer_texts.add(text)
        return text

    def charge(self, model: str, usage: Usage) -> None:
        """The agent learnt of a model call."""
        if usage.calls:
            self.charged[model] = self.charged.get(model, Usage()) + usage

    # What must hold after every workflow task

    def look(self, state: AgentState, now: float) -> None:
        """Compare the agent's state with the truth.

        Raises:
            Broken: They differ.
        """
        mailbox, turn = state.mailbox, state.turn
        self._own(mailbox.waiting)
        here = [entry.message.id for entry in (*mailbox.waiting, *mailbox.quiet)]
        for page in mailbox.aside:
            ids = self._page(page.ref)
            if len(ids) != page.count:
                raise Broken(f"a page of {page.count} has {len(ids)} messages")
            here += ids
        if turn is not None:
            here += turn.ids
        if self._forgets and self._fresh:
            self._forget({*here, *state.replies.replies})
        self._fresh.clear()
        self._settle(state)
        if turn is not None:
            self._hear(state)
        held = set(here)
        for message_id in self.open - held:
            self._settle_from_store(state.life, message_id)
        if len(held) != len(here):
            raise Broken(f"messages are in two places: {[key for key, n in Counter(here).items() if n > 1]}")
        if held != self.open:
            raise Broken(
                f"lost: {sorted(self.open - held)}; there though settled or never sent: {sorted(held - self.open)}"
            )
        self._count(state)
        self._timed(state, now)

    def _own(self, waiting: Sequence[Envelope]) -> None:
        """Take note of messages that the agent wrote to itself, or that came without an id."""
        for entry in waiting:
            message = entry.message
            if message.id in self.letters:
                continue
            self._unknown(message.id, message.sender, message.text)

    def _unknown(self, message_id: str, sender: str, text: str) -> None:
        if sender == "timer":
            self._fire(text)
        elif sender.startswith("trigger/"):
            self._ticked[text] += 1
        elif sender != "nameless":
            raise Broken(f"a message that nobody sent: {message_id} of {sender!r}: {text[:60]!r}")
        letter = Letter(message_id, sender, 3, "queue", wake=True, order=next(self._orders), own=True)
        self._add(letter)

    def _fire(self, text: str) -> None:
        if text not in self._timer_texts:
            raise Broken(f"a timer went off that nobody set: {text!r}")
        self.fired[text] += 1
        if self.fired[text] > 1:
            raise Broken(f"{text} went off twice")

    def _settle(self, state: AgentState) -> None:
        """Take note of the replies that are new."""
        new: list[Reply] = []
        for reply in reversed(state.replies.replies.values()):
            letter = self.letters.get(reply.id)
            if letter is not None and letter.reply is not None:
                break
            new.append(reply)
        for reply in reversed(new):
            self._settle_with(reply)

    def _settle_with(self, reply: Reply) -> None:
        letter = self.letters.get(reply.id)
        if letter is None or reply.status not in _ENDED:
            raise Broken(f"a reply {reply.status} to {reply.id}, which never came")
        self._in_order(letter)
        if reply.status == "done" and not self.is_answer(reply.text, reply.id):
            raise Broken(f"{reply.id} is answered with {reply.text[:60]!r}, which is no answer to it")
        letter.reply = reply
        self._counts[reply.status] += 1
        self.open.discard(reply.id)

    def _settle_from_store(self, life: str, message_id: str) -> None:
        """Find a reply that a rollover, in the very task in which it was given, found too long to carry."""
        if ref := self._store.links.get(reply_link(life, message_id)):
            thought = Thought.model_validate_json(self._store.blobs[ref])
            self._settle_with(Reply(id=message_id, status="done", text=thought.text))

    def _hear(self, state: AgentState) -> None:
        assert state.turn is not None
        first = state.turn.number != self._turns
        if state.turn.number < self._turns:
            raise Broken("turns are counted backwards")
        self._turns = state.turn.number
        for heard in state.turn.heard:
            if heard.id not in self.letters:
                self._unknown(heard.id, heard.sender, heard.text)
            letter = self.letters[heard.id]
            if letter.heard:
                continue
            self._in_order(letter)
            if first and letter.wake and not letter.own:
                first = False
                self._most_urgent(letter, state.turn.ids)

    def _most_urgent(self, letter: Letter, taken: Sequence[str]) -> None:
        for message_id in self.open.difference(taken):
            other = self.letters[message_id]
            if other.wake and not other.own and other.urgency < letter.urgency:
                raise Broken(f"{letter.id} is taken before {other.id}, which is more urgent")

    def _in_order(self, letter: Letter) -> None:
        if letter.heard:
            return
        letter.heard = True
        if letter.own:
            return
        if letter.order < self._last_heard.get(letter.group, -1):
            raise Broken(f"{letter.id} of {letter.sender} is taken after a later one of the same priority")
        self._last_heard[letter.group] = letter.order

    def _forget(self, held: set[str]) -> None:
        for message_id in self._fresh:
            if message_id not in held:
                del self.letters[message_id]
                self.open.discard(message_id)
                self._forgotten += 1

    def _page(self, ref: str) -> list[str]:
        if ref not in self._pages:
            entries = json.loads(self._store.blobs[ref])["entries"]
            for entry in entries:
                message = entry["message"]
                if message["id"] not in self.letters:
                    self._unknown(message["id"], message.get("sender", ""), message["text"])
            self._pages[ref] = [entry["message"]["id"] for entry in entries]
        return self._pages[ref]

    def _count(self, state: AgentState) -> None:
        counts = self._counts
        expected = (counts["done"] + counts["interrupted"], counts["failed"], len(self.letters))
        if (state.handled, state.failed, state.mailbox.arrived) != expected:
            told = (state.handled, state.failed, state.mailbox.arrived)
            raise Broken(f"the agent counts {told} handled, failed and arrived; they are {expected}")
        if state.mailbox.count + (len(state.turn.heard) if state.turn else 0) != len(self.open):
            raise Broken(f"the agent counts {state.mailbox.count} waiting, {len(self.open)} are open")
        dead = counts["failed"] + self.buried + self._forgotten
        if state.dead_count < dead or (state.dead_count > dead and not self._forgets):
            raise Broken(f"{state.dead_count} dead letters where {dead} messages died")
        if sum(usage.calls for usage in state.spend.values()) != sum(usage.calls for usage in self.charged.values()):
            raise Broken(f"the spend is {state.spend}, the calls cost {self.charged}")

    def _timed(self, state: AgentState, now: float) -> None:
        timers = {timer.text: timer.due for timer in state.schedule.timers}
        for text, due in self._timers.items():
            if text not in timers and not self.fired[text]:
                raise Broken(f"{text}, due at {due}, was lost")
        for text in timers:
            if self.fired[text]:
                raise Broken(f"{text} is still set, though it went off")
        for text, due in self._timers.items():
            if self.fired[text] and due > now + 0.001:
                raise Broken(f"{text} went off before its time")
        self._timers = timers
        if not (state.schedule.ticks or self._ticks):
            self._ticked.clear()
            return
        if self._tick_texts[0] is not state.spec:
            texts = {
                trigger_key(trigger): trigger.text
                for trigger in state.spec.triggers
                if not isinstance(trigger, EventTrigger)
            }
            self._tick_texts = (state.spec, texts)
        ticks = {key: (tick.base, tick.due) for key, tick in state.schedule.ticks.items()}
        for key, (base, due) in ticks.items():
            before = self._ticks.get(key)
            text = self._tick_texts[1].get(key, "")
            come = self._ticked.pop(text, 0)
            if before is None:
                continue
            if base < before[0] or due < base:
                raise Broken(f"the next tick of {key} went back from {before} to {(base, due)}")
            if text and come != (base > before[0]):
                raise Broken(f"{come} ticks came of {key} where its time went from {before} to {(base, due)}")
            if come and before[1] > now + 0.001:
                raise Broken(f"a tick came before its time {before[1]}")
        self._ticks = ticks
        self._ticked.clear()

    # What must hold at last

    def finally_holds(self, state: AgentState, said: Iterable[str], now: float) -> None:
        """Look at an agent that has nothing left to do. `said` are the ids of the messages in its whole conversation.

        Raises:
            Broken: Something was left undone.
        """
        if self.open:
            raise Broken(f"never handled: {sorted(self.open)[:5]}")
        if state.spend != self.charged:
            raise Broken(f"the spend is {state.spend}, the calls cost {self.charged}")
        if (due := state.schedule.next_due) and due <= now:
            raise Broken(f"what was due at {due} has not come at {now}")
        told = Counter(said)
        for letter in self.letters.values():
            times = told.pop(letter.id, 0)
            status = letter.reply.status if letter.reply else ""
            least, most = {"done": (1, 1), "failed": (0, 0)}.get(status, (0, 1))
            if not least <= times <= most:
                raise Broken(f"{letter.id}, {status}, is {times} times in the conversation")
        if told:
            raise Broken(f"the conversation has what never came: {sorted(told)[:5]}")
