"""Taking messages in: each once, as long as there is room, and what becomes of those that are not taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from temporalio import workflow
from temporalio.common import RawValue

from aos.errors import AgentStopped, MailboxFull, MessageFailed, ReplyForgotten
from aos.limits import MESSAGE_BYTES
from aos.message import Event, Message, Reply
from aos.views import DeadLetter, DeathKind
from aos_workflows import shelf
from aos_workflows.inbound import read_or_refuse, refusal, text_of
from aos_workflows.letters import DeadOffice
from aos_workflows.messaging import Messaging
from aos_workflows.replies import reply_with
from aos_workflows.state import AgentState
from aos_workflows.waking import event_message

_SOONEST, _LATEST = 1.0, 3600.0
_SHARE = 0.1


class Intake:
    """The way in of an agent.

    Args:
        state: The agent.
        messaging: What tells senders.
        letters: Where goes what is not taken in.
    """

    def __init__(self, state: AgentState, messaging: Messaging, letters: DeadOffice) -> None:
        self._state = state
        self._messaging = messaging
        self._letters = letters

    def take_in(self, message: Message, *, asked: bool = False, fallback_id: str = "") -> Message:
        """Take a message in, and return it with its id.

        Raises:
            ApplicationError: It was asked, and is not taken in.
        """
        if not message.id:
            message = message.model_copy(update={"id": fallback_id or str(workflow.uuid4())})
        if self._lacks_room(message) and not asked:
            self._turn_away(message)
            return message
        verdict = self._state.mailbox.offer(message, workflow.time(), asked=asked)
        if verdict == "forgotten":
            reason = "it may have been handled before, and that was too long ago to tell; send it with a new id"
            self._letters.bury(message, reason, "undeliverable")
            self._messaging.refuse(message, reason)
            if asked:
                raise refusal(MessageFailed(message.id, reason))
        elif verdict == "new":
            self._messaging.arrived(message)
        return message

    def take_in_event(self, event: Event, given: RawValue) -> None:
        """Take in what the agent is told of an outside event."""
        if told := event_message(self._state, event):
            self.take_in(told)
        else:
            reason = f"no trigger wants events of type {event.type!r}"
            self.bury(event.id, reason, text_of(given), "undeliverable")

    def check(self, given: RawValue) -> None:
        """Check what somebody asks.

        Raises:
            ApplicationError: It cannot be read, or there is no room for it.
        """
        message = read_or_refuse(Message, "message", given, MESSAGE_BYTES)
        if self._lacks_room(message):
            raise refusal(MailboxFull(self._state.spec.name, self._retry_after))

    def bury(self, message_id: str, reason: str, text: str, kind: DeathKind) -> None:
        """Make a dead letter of what could not be read, or was no message."""
        now = datetime.fromtimestamp(workflow.time(), UTC)
        self._state.bury(
            DeadLetter.of(id=message_id or str(workflow.uuid4()), reason=reason, text=text, at=now, kind=kind)
        )

    async def reply_to(self, message_id: str, rolling: Callable[[], bool], leaving: Callable[[], bool]) -> Reply:
        """Return the reply to a message once there is one, or `pending` when the workflow rolls over first.

        Raises:
            ApplicationError: It failed, or is not known any more, or the agent stops first.
        """
        state = self._state
        if state.replies.get(message_id) is None and not state.is_busy_with(message_id):
            if thought := await shelf.find_reply(state.life, message_id):
                return reply_with(thought, message_id)
            if state.replies.get(message_id) is None and not state.may_hold(message_id):
                raise refusal(ReplyForgotten(message_id))
        await workflow.wait_condition(lambda: state.replies.get(message_id) is not None or rolling() or leaving())
        if reply := state.replies.get(message_id):
            return _or_failure(reply)
        if rolling():
            return Reply(id=message_id, status="pending")
        raise refusal(AgentStopped(state.spec.name))

    def _lacks_room(self, message: Message) -> bool:
        """Whether a new message finds no room. One that ends the turn under way is always heard."""
        full = self._state.mailbox.count >= self._state.spec.mailbox_limit and message.mode != "interrupt"
        return full and not (message.id and self._is_known(message))

    def _is_known(self, message: Message) -> bool:
        return self._state.mailbox.seen.knows(message) or self._state.replies.get(message.id) is not None

    @property
    def _retry_after(self) -> float:
        """Seconds in which a share of the mailbox is worked off, at the pace of late."""
        return min(max(self._state.pace * self._state.mailbox.count * _SHARE, _SOONEST), _LATEST)

    def _turn_away(self, message: Message) -> None:
        error = MailboxFull(self._state.spec.name, self._retry_after)
        if message.reply_to:
            self._messaging.refuse(message, str(error), retry_after=error.retry_after)
        else:
            self._letters.bury(message, str(error), "undeliverable")


def _or_failure(reply: Reply) -> Reply:
    if reply.status == "failed":
        raise refusal(MessageFailed(reply.id, reply.error))
    return reply
