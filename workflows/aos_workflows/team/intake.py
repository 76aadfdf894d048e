"""The way in of a team: each task is taken in once, as long as there is room, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from temporalio import workflow
from temporalio.common import RawValue

from aos.errors import AgentStopped, MailboxFull, MessageFailed, ReplyForgotten
from aos.limits import MESSAGE_BYTES
from aos.message import Message, Reply
from aos.views import DeadLetter, DeathKind
from aos_activities.keeping import FindTaskReply, KeepingActivities
from aos_workflows.inbound import read_or_refuse, refusal
from aos_workflows.letters import DeadOffice
from aos_workflows.options import STORE
from aos_workflows.team.state import TeamState
from aos_workflows.team.work import Work
from aos_workflows.waits import Edge, Told, address_of

_SOONEST, _LATEST = 1.0, 3600.0
_SHARE = 0.1


class TeamIntake:
    """The way in of a team.

    Args:
        state: The team.
        work: What works on its tasks.
        letters: Where goes what is not taken in.
        tells: Sends what is to be told of waits.
    """

    def __init__(
        self, state: TeamState, work: Work, letters: DeadOffice, tells: Callable[[Sequence[Told]], None]
    ) -> None:
        self._state = state
        self._work = work
        self._letters = letters
        self._tells = tells

    def check(self, given: RawValue) -> None:
        """Check a task that somebody asks for.

        Raises:
            ApplicationError: It cannot be read, or there is no room for it.
        """
        message = read_or_refuse(Message, "message", given, MESSAGE_BYTES)
        if self._lacks_room(message):
            raise refusal(self._full())

    def take_in(self, message: Message, *, asked: bool = False, fallback_id: str = "") -> Message:
        """Take a task in, and return it with its id.

        Raises:
            ApplicationError: It was asked, and is not taken in.
        """
        state = self._state
        # A task waits for its place, whatever a single agent would do with such a message.
        message = message.model_copy(
            update={"id": message.id or fallback_id or str(workflow.uuid4()), "mode": "queue", "wake": True}
        )
        if self._lacks_room(message) and not asked:
            self._turn_away(message)
            return message
        if self._is_waited_for_here(message):
            # It would wait for a place that only its own end makes free.
            if state.mailbox.seen.judge(message) == "new":
                self.begin(message)
            return message
        verdict = state.mailbox.offer(message, workflow.time(), asked=asked)
        if verdict == "new":
            self._look_for_circle(message)
        elif verdict == "forgotten":
            reason = "it may have been handled before, and that was too long ago to tell; send it with a new id"
            self._letters.bury(message, reason, "undeliverable")
            if message.reply_to:
                self._work.tell(message, Reply(id=message.id, status="failed", error=reason))
            if asked:
                raise refusal(MessageFailed(message.id, reason))
        return message

    def begin(self, message: Message) -> None:
        """Begin a task, unless it is too late for it."""
        if message.deadline and message.deadline.timestamp() <= workflow.time():
            reason = "its deadline had passed before it was begun"
            self._letters.bury(message, reason, "undeliverable")
            self._work.refuse(message, reason)
        else:
            self._work.begin(message)

    def bury(self, message_id: str, reason: str, text: str, kind: DeathKind) -> None:
        """Make a dead letter of what could not be read, or was no task."""
        now = datetime.fromtimestamp(workflow.time(), UTC)
        self._state.bury(
            DeadLetter.of(id=message_id or str(workflow.uuid4()), reason=reason, text=text, at=now, kind=kind)
        )

    async def reply_to(self, task_id: str, rolling: Callable[[], bool], leaving: Callable[[], bool]) -> Reply:
        """Return what came of a task once that is known, or `pending` when the workflow rolls over first.

        Raises:
            ApplicationError: It failed, or is not known any more, or the team stops first.
        """
        state = self._state
        if state.replies.get(task_id) is None and not state.is_busy_with(task_id):
            found = await workflow.execute_activity_method(
                KeepingActivities.find_task_reply, FindTaskReply(life=state.life, task=task_id), **STORE
            )
            if found:
                return _or_failure(found)
            if state.replies.get(task_id) is None and not state.may_hold(task_id):
                raise refusal(ReplyForgotten(task_id))
        await workflow.wait_condition(lambda: state.replies.get(task_id) is not None or rolling() or leaving())
        if reply := state.replies.get(task_id):
            return _or_failure(reply)
        if rolling():
            return Reply(id=task_id, status="pending")
        raise refusal(AgentStopped(state.address))

    def _is_waited_for_here(self, message: Message) -> bool:
        """Whether a task under way waits for what comes of this one."""
        if not message.waiting or self._state.stop_reason:
            return False
        nodes = {task.node for task in self._state.tasks.values()}
        return any(node in nodes for node in message.waiting)

    def _look_for_circle(self, message: Message) -> None:
        """If its sender waits for the task, and the task for its place, see whether the one that has it waits as well.

        One that begins at once waits for nobody yet: whom it asks will look.
        """
        if message.waiting and message.reply_to == address_of(message.waiting[-1]):
            node = message.waiting[-1]
            to = self._state.node_of(message.id)
            edge = Edge(node=node, to=to, id=message.id, priority=message.priority)
            self._tells(self._state.waits.asked(edge))

    def _lacks_room(self, message: Message) -> bool:
        """Whether a new task finds no room."""
        state = self._state
        if state.mailbox.count < state.spec.mailbox_limit or self._is_waited_for_here(message):
            return False
        known = message.id and (state.mailbox.seen.knows(message) or state.replies.get(message.id) is not None)
        return not known

    def _full(self) -> MailboxFull:
        """Return the error that tells when to come back: when a share of what waits is done, at the pace of late."""
        state = self._state
        wait = min(max(state.pace * state.mailbox.count * _SHARE, _SOONEST), _LATEST)
        return MailboxFull(state.address, wait)

    def _turn_away(self, message: Message) -> None:
        error = self._full()
        if message.reply_to:
            reply = Reply(id=message.id, status="failed", error=str(error), retry_after=error.retry_after)
            self._work.tell(message, reply)
        else:
            self._letters.bury(message, str(error), "undeliverable")


def _or_failure(reply: Reply) -> Reply:
    if reply.status == "failed":
        raise refusal(MessageFailed(reply.id, reply.error))
    return reply
