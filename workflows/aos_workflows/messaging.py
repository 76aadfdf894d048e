"""What an agent tells others by signals, and what they tell it besides messages: replies, probes, breaks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from temporalio import workflow

from aos.address import kind_of, name_of
from aos.message import Message, Reply
from aos.names import agent_workflow_id
from aos.views import DeadLetter
from aos_workflows.letters import DeadOffice
from aos_workflows.mailbox import Envelope
from aos_workflows.outbox import Outgoing
from aos_workflows.postman import Postman
from aos_workflows.state import AgentState, Errand, Heard
from aos_workflows.waits import Break, Edge, Probe, Told, Wait, address_of

SENDING = timedelta(seconds=10)
"""How long a rollover, or the end, waits until everything is sent."""

UNSENT_BYTES = 256 * 1024
"""Most bytes of what is not sent that cross a rollover."""


class Messaging:
    """Sends what the agent has to tell, and settles what it waits for.

    Args:
        state: The agent.
        letters: Where dead letters go.
        takes_in: Takes in a message that the agent sent to its own address.
    """

    def __init__(self, state: AgentState, letters: DeadOffice, takes_in: Callable[[Message], None]) -> None:
        self._state = state
        self._letters = letters
        self._takes_in = takes_in
        self._postman = Postman(state.outbox, self._undelivered)

    @property
    def address(self) -> str:
        """The agent's own address, which is its node in the graph of waits."""
        return agent_workflow_id(self._state.spec.name)

    @property
    def idle(self) -> bool:
        """Whether everything is sent."""
        return self._postman.idle

    def go(self) -> None:
        """Begin to send what waits, as at the begin of a run."""
        self._postman.go()

    async def until_sent(self) -> None:
        """Return when everything is sent, or after a while when little is left, which can be carried along."""
        if self.idle:
            return
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self.idle, timeout=SENDING)
        await workflow.wait_condition(lambda: len(self._state.outbox.model_dump_json()) <= UNSENT_BYTES)

    # Outgoing

    def send(self, message: Message) -> None:
        """Send a message to the address that it names."""
        if message.to in ("", self.address):
            self._takes_in(message)
            return
        self._put(message.to, "send", message)

    def ask(self, message: Message, wait: Wait) -> None:
        """Send a message for whose answer `wait` waits."""
        self._state.waits.begin(wait)
        self._put(message.to, "send", message)

    def reply(self, heard: Heard | Message, reply: Reply) -> None:
        """Tell the sender of a message what became of it, where it wants to be told."""
        if heard.reply_to and heard.reply_to != self.address:
            self._put(heard.reply_to, "reply", reply)

    def refuse(self, message: Message, reason: str, *, retry_after: float = 0.0) -> None:
        """Tell the sender of a message that was not taken in why, where it wants to be told."""
        self.reply(message, Reply(id=message.id, status="failed", error=reason, retry_after=retry_after))

    def _put(self, to: str, signal: str, body: Message | Reply | Probe | Break) -> None:
        self._state.outbox.put(to, signal, body.model_dump(mode="json"))
        self._postman.go()

    def _undelivered(self, outgoing: Outgoing, why: str) -> None:
        # Who is gone waits for no reply, and takes part in no cycle.
        if outgoing.signal != "send":
            return
        message = Message.model_validate(outgoing.body)
        reason = f"no {kind_of(message.to)} named {name_of(message.to)!r} is alive"
        if not self.lose(message.id, f"{reason}; send it to somebody else, or start it first"):
            self._letters.bury(message, f"it could not be delivered: {reason} ({why})", "undeliverable")

    def timely(self, letters: Sequence[Envelope]) -> list[Envelope]:
        """Return those that may still be begun. The others become dead letters, and their senders are told."""
        now = datetime.fromtimestamp(workflow.time(), UTC)
        late = [letter for letter in letters if letter.message.deadline and letter.message.deadline <= now]
        for letter in late:
            message = letter.message
            reason = f"it was not begun before its deadline, {message.deadline:%Y-%m-%d %H:%M:%S %Z}"
            reply = Reply(id=message.id, status="failed", error=reason)
            self._state.answer(reply)
            self._state.failed += 1
            self.reply(message, reply)
            self._letters.bury(message, reason, "undeliverable")
        return [letter for letter in letters if letter not in late]

    def say_farewell(self) -> None:
        """Tell those who wait for an answer here that none will come: the agent stops."""
        turn, mailbox = self._state.turn, self._state.mailbox
        waiting = [letter.message for letter in (*mailbox.waiting, *mailbox.quiet)]
        for message in (*(turn.heard if turn else ()), *waiting):
            self.reply(message, Reply(id=message.id, status="failed", error=f"{self.address} was stopped first"))

    # Incoming

    def arrived(self, message: Message) -> None:
        """A message came. If its sender waits for the answer, and the agent waits itself, look for a cycle."""
        if message.waiting and message.reply_to == address_of(message.waiting[-1]):
            node = message.waiting[-1]
            edge = Edge(node=node, to=self.address, id=message.id, priority=message.priority)
            self._tell(self._state.waits.asked(edge))

    def answered(self, reply: Reply) -> None:
        """A reply came. One that nobody waits for becomes a dead letter, unless the wait for it is over."""
        wait = self._state.waits.end(reply.id)
        errand = self._errand(reply.id)
        if wait and errand:
            errand.came = reply
        elif not wait and not self._state.waits.was_over(reply.id):
            text = reply.text or reply.error or "an empty reply"
            reason = f"it is the reply to {reply.id!r}, and nobody here waits for that"
            at = datetime.fromtimestamp(workflow.time(), UTC)
            self._state.bury(DeadLetter.of(id=reply.id, reason=reason, text=text, at=at, kind="undeliverable"))

    def probed(self, probe: Probe) -> None:
        """A probe came: see `waits`."""
        self._tell(self._state.waits.probed(probe, self._state.may_hold))

    def broken(self, given: Break) -> None:
        """A wait is to be given up."""
        wait, told = self._state.waits.broken(given)
        if wait and (errand := self._errand(given.id)):
            errand.lost = given.reason
        self._tell(told)

    def lose(self, message_id: str, reason: str) -> bool:
        """Give up a wait, and return whether there was one."""
        wait = self._state.waits.end(message_id)
        if wait and (errand := self._errand(message_id)):
            errand.lost = reason
        return wait is not None

    def _errand(self, message_id: str) -> Errand | None:
        turn = self._state.turn
        errands = turn.open.errands.values() if turn and turn.open else ()
        return next((errand for errand in errands if errand.id == message_id), None)

    def _tell(self, told: Sequence[Told]) -> None:
        """Send probes and breaks. What is for this agent itself is done here: no workflow can signal itself."""
        left = deque(told)
        while left:
            to, signal, body = left.popleft()
            if to != self.address:
                self._put(to, signal, body)
            elif isinstance(body, Probe):
                left.extend(self._state.waits.probed(body, self._state.may_hold))
            else:
                self.broken(body)
