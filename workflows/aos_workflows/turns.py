"""One turn: think, act on what the model wants, think again, until it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception
from temporalio.workflow import ActivityHandle

from aos.conversation import AssistantItem, NoteItem, UserItem
from aos.errors import AosError
from aos.limits import clip, cut_bytes
from aos.message import Reply, ReplyStatus
from aos.views import DeadLetter
from aos_activities import telemetry
from aos_activities.think import ThinkActivities, ThinkRequest, Thought, ids_of
from aos_workflows.compacting import Compacting
from aos_workflows.errands import Errands
from aos_workflows.handles import abandon
from aos_workflows.letters import page_of
from aos_workflows.mailbox import Envelope
from aos_workflows.messaging import Messaging
from aos_workflows.options import model_options
from aos_workflows.shelf import bring_back, set_aside
from aos_workflows.state import AgentState, Heard, OpenStep, Turn, retold
from aos_workflows.tool_calls import LoopBroken, ToolCalls

TURN_BYTES = 1024 * 1024
"""Most bytes of messages that one turn takes."""

_SHOWN_CHARS = 500
_SUMMARY_CHARS = 24
_REASON_BYTES = 2000
_CALLS_TOLD = 1000


class StepLimitReached(AosError):
    """A message took more model calls than its agent may make."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"no answer after {steps} model calls; raise max_steps if the task needs more")


class Turns:
    """Works on the turn in the state.

    Args:
        state: The agent.
        messaging: What sends its replies.
        yields: Whether the turn must make way for a rollover, as soon as it can without running a tool twice.
        rests: Whether it makes way already where it only waits for the answers of others.
    """

    def __init__(
        self, state: AgentState, messaging: Messaging, yields: Callable[[], bool], rests: Callable[[], bool]
    ) -> None:
        self._state = state
        self._messaging = messaging
        self._yields = yields
        self._rests = rests
        self._errands = Errands(state, messaging)
        self._tools = ToolCalls(state, self._errands)
        self._compacting = Compacting(state)

    def begin(self, letters: Sequence[Envelope]) -> None:
        """Make `letters` the turn under way."""
        state, now = self._state, workflow.time()
        state.turns += 1
        turn = Turn(number=state.turns, before=state.head, before_tokens=state.context_tokens, began=now)
        turn.notes, state.notes = state.notes, []
        turn.new = list(turn.notes)
        self._hear(turn, letters, now)
        turn.output_schema = letters[-1].message.output_schema
        state.turn = turn

    def _hear(self, turn: Turn, letters: Sequence[Envelope], now: float) -> None:
        for letter in letters:
            message = letter.message
            item = UserItem(
                text=message.text, sender=message.sender, id=message.id, images=message.images, parts=message.parts
            )
            turn.heard.append(
                Heard(
                    id=message.id,
                    sender=message.sender,
                    text=clip(message.text, _SHOWN_CHARS),
                    reply_to=message.reply_to,
                    task=message.task,
                )
            )
            turn.letters.append(message)
            turn.waiting += [node for node in message.waiting if node not in turn.waiting]
            turn.causation, turn.priority = message.causation, message.priority
            turn.importance = message.importance
            turn.deadline = message.deadline.timestamp() if message.deadline else 0.0
            turn.new.append(item)
            turn.stream = turn.stream or message.stream
            self._state.show(item, now)

    async def work(self, cut: Callable[[], bool]) -> None:
        """Take steps until the turn ends, is cut, must make way, or the agent is paused."""
        name, turn = self._state.spec.name, self._state.turn
        attributes = {
            telemetry.OPERATION: "invoke_agent",
            telemetry.AGENT_NAME: name,
            telemetry.CONVERSATION_ID: self._state.life,
            telemetry.MESSAGE_ID: turn.ids[0] if turn and turn.ids else "",
        }
        with telemetry.span(f"invoke_agent {name}", {**attributes}):
            await self._take_steps(cut)

    async def _take_steps(self, cut: Callable[[], bool]) -> None:
        while (turn := self._state.turn) and not self._state.paused:
            try:
                await self._step(turn, cut)
            except (ActivityError, LoopBroken, StepLimitReached) as error:
                if isinstance(error, ActivityError) and workflow.cancellation_reason() is not None:
                    raise
                await self._fail(turn, error)
            waits = turn.open is not None and self._state.turn is turn
            if self._yields() or self._state.stop_now or (waits and not cut()):
                return
            if cut():
                self._abandon()

    async def _step(self, turn: Turn, cut: Callable[[], bool]) -> None:
        state = self._state
        if turn.open:
            await self._act(turn, turn.open, cut)
            return
        if turn.step >= state.spec.max_steps:
            raise StepLimitReached(turn.step)
        if turn.step:
            self._hear(turn, self._messaging.timely(state.mailbox.take_steering(TURN_BYTES)), workflow.time())
        if not await self._compacting.settle(lambda: cut() or self._yields()):
            return
        thought = await self._think(turn, cut)
        if thought is None:
            return
        state.head, state.context_tokens = thought.head, thought.context_tokens
        self._compacting.consider()
        turn.step += 1
        turn.again = False
        turn.usage += thought.usage
        turn.new = []
        state.charge(thought.model, thought.usage)
        said = AssistantItem(text=thought.text or _calls_in_words(thought), model=thought.model)
        state.show(said, workflow.time())
        if thought.tool_calls:
            turn.tool_calls += len(thought.tool_calls)
            turn.called = [*turn.called, *(clip(call.name, 200) for call in thought.tool_calls)][:_CALLS_TOLD]
            workflow.set_current_details(f"{_about(turn)}: {_calls_in_words(thought)}")
            turn.open = OpenStep(text=thought.text, calls=thought.tool_calls)
            await self._act(turn, turn.open, cut)
        elif thought.output_error:
            again = "Reply again, with nothing but JSON that fits the schema."
            turn.new = [NoteItem(text=f"{thought.output_error}. {again}")]
        else:
            self._finish(turn, text=thought.text, output=thought.output, ref=thought.ref)

    async def _act(self, turn: Turn, step: OpenStep, cut: Callable[[], bool]) -> None:
        """Carry out the calls of a step. It stays open where others' answers are waited for over a rollover."""
        results = await self._tools.run(turn, step, cut, self._rests)
        if results is None:
            return
        turn.open = None
        turn.new = [*results]
        for result in results:
            self._state.show(result, workflow.time())
        if turn.ends:
            # The model said so by a call, whose result it is to see before what it is told next.
            self._state.keep(turn.new)
            self._finish(turn, text=turn.last_words or step.text)

    async def _think(self, turn: Turn, cut: Callable[[], bool]) -> Thought | None:
        state = self._state
        workflow.set_current_details(f"{_about(turn)}: thinking, step {turn.step + 1}")
        # What the activity sees by itself is not said again: every byte here is kept for as long as the history.
        answers = [] if turn.ids == ids_of(turn.new) else turn.ids
        handle: ActivityHandle[Thought] = workflow.start_activity_method(
            ThinkActivities.think,
            ThinkRequest(
                life=state.life,
                turn=turn.number,
                step=turn.step,
                program=state.program,
                head=state.head,
                new=turn.new,
                answers=answers,
                output_schema=turn.output_schema,
                stream=turn.stream,
                again=turn.again,
            ),
            summary=f"step {turn.step + 1}: {clip(turn.last.text, _SUMMARY_CHARS)}",
            **model_options(state.spec.patience),
        )
        await workflow.wait_condition(lambda: handle.done() or cut() or self._yields())
        if not handle.done():
            abandon(handle)
            # Within this workflow task. What came in it is used, and paid for: signals are only seen before results.
            await workflow.wait_condition(handle.done)
            if handle.cancelled() or ((error := handle.exception()) and is_cancelled_exception(error)):
                turn.again = True
                return None
        return await handle

    def _finish(self, turn: Turn, **came: Any) -> None:
        state = self._state
        self._reply(turn, status="done", **came)
        state.handled += len(turn.ids)
        workflow.logger.info("message_handled", extra=_about_turn(state, turn))

    async def _fail(self, turn: Turn, error: ActivityError | AosError) -> None:
        state, reason = self._state, _reason(error)
        await self.keep_letters(turn)
        for heard in turn.heard:
            letter = DeadLetter.of(
                id=heard.id,
                reason=reason,
                text=heard.text,
                sender=heard.sender,
                at=_now(),
                ref=turn.kept,
                replayable=True,
            )
            state.bury(letter)
        self._settle(turn, "failed", reason)
        state.failed += len(turn.ids)
        workflow.logger.warning("message_failed", extra={**_about_turn(state, turn), "reason": reason})
        # What came before this turn is told again, but no longer in full: it may be what the model cannot take.
        state.head, state.context_tokens = turn.before, turn.before_tokens
        state.notes = [retold(item) for item in turn.notes]
        done = f" after {turn.tool_calls} tool calls" if turn.tool_calls else ""
        told = f"A message failed{done} and was given up: {clip(turn.last.text)} ({clip(reason)})"
        state.say(NoteItem(text=told), workflow.time())

    async def put_down(self) -> None:
        """End what goes on beside the turns, as the run ends."""
        await self._compacting.put_down()

    async def keep_letters(self, turn: Turn) -> None:
        """Put the messages that the turn works on into the store, whole."""
        page = page_of(turn.letters)
        if turn.kept:
            page.entries[:0] = (await bring_back(turn.kept)).entries
        turn.kept, turn.letters = await set_aside(page), []

    def _abandon(self) -> None:
        """End a turn that a newer message interrupts. What it came to stays in the conversation."""
        state = self._state
        if (turn := state.turn) is None:
            return
        state.keep(turn.new)
        self._settle(turn, "interrupted", "a newer message interrupted the work on this one")
        state.handled += len(turn.ids)
        state.say(NoteItem(text="The work on the message before was interrupted by the next one."), workflow.time())

    def _settle(self, turn: Turn, status: ReplyStatus, reason: str) -> None:
        self._reply(turn, status=status, error=cut_bytes(reason, _REASON_BYTES))

    def _reply(self, turn: Turn, **came: Any) -> None:
        """End a turn, and tell who wants to know what came of it."""
        state = self._state
        for heard in turn.heard:
            reply = Reply(id=heard.id, steps=turn.step, usage=turn.usage, **came)
            if heard.reply_to or heard.task:
                reply = reply.model_copy(update={"called": turn.called, "handoff": turn.handoff})
            state.answer(reply)
            self._messaging.reply(heard, reply)
        self._errands.give_up(turn)
        took = max(0.0, workflow.time() - turn.began) / max(1, len(turn.heard))
        state.pace = took if not state.pace else state.pace * 0.8 + took * 0.2
        state.turn = None


def _now() -> datetime:
    return datetime.fromtimestamp(workflow.time(), UTC)


def _about(turn: Turn) -> str:
    who = f" from {clip(turn.last.sender, 40)}" if turn.last.sender else ""
    return f"Working on “{clip(turn.last.text, 80)}”{who}"


def _about_turn(state: AgentState, turn: Turn) -> dict[str, object]:
    return {"agent": state.spec.name, "message_ids": turn.ids, "steps": turn.step}


def _calls_in_words(thought: Thought) -> str:
    return "calling " + ", ".join(clip(call.name, 60) for call in thought.tool_calls[:5]) if thought.tool_calls else ""


def _reason(error: ActivityError | AosError) -> str:
    if isinstance(error, ActivityError):
        cause = error.cause
        if isinstance(cause, ApplicationError):
            return cause.message
        # A time-out that ends many attempts has the failure of the last one as its cause.
        last = cause.cause if isinstance(cause, FailureError) else None
        told = last.message if isinstance(last, ApplicationError) else cause or error
        return f"the model did not answer in time: {told}"
    return str(error)
