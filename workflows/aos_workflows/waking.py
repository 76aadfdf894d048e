"""What wakes an agent besides messages: ticks, timers and outside events, made into messages."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from aos.limits import MESSAGE_BYTES, PREVIEW_CHARS, clip
from aos.message import Event, Message
from aos.reading import check_size
from aos.spec import CronTrigger, EventTrigger, Gate, IntervalTrigger, ToolGate
from aos.tool_contracts import ToolRequest
from aos_activities.tools import ToolHost
from aos_workflows.options import clamped
from aos_workflows.schedule import trigger_key
from aos_workflows.state import AgentState

_ID_CHARS = 200


class Alarm:
    """One Temporal timer for whatever is due next. It lasts over turns, so an agent with triggers pays no events."""

    def __init__(self) -> None:
        self._due: float | None = None
        self._ringing: asyncio.Task[None] | None = None

    @property
    def due(self) -> float | None:
        """When it rings, in seconds since 1970."""
        return self._due

    def set(self, due: float | None) -> None:
        """Ring at `due`, in seconds since 1970, and not at the time set before."""
        if due == self._due:
            return
        if self._ringing:
            self._ringing.cancel()
        self._due = due
        self._ringing = None if due is None else asyncio.create_task(_sleep_until(due))

    def rings(self) -> bool:
        """Whether the time has come."""
        return self._ringing is not None and self._ringing.done()

    def now(self) -> float:
        """Return the time, which is never before a `due` that has come."""
        return max(workflow.time(), self._due or 0.0) if self.rings() else workflow.time()


async def _sleep_until(due: float) -> None:
    await workflow.sleep(max(0.0, due - workflow.time()), summary="until the next tick or timer")


async def post_due(state: AgentState, now: float) -> bool:
    """Put what is due into the mailbox. Return whether it must be read though nothing there wakes the agent."""
    for timer in state.schedule.due_timers(now):
        state.mailbox.post(Message(id=timer.id, sender="timer", text=timer.text or "A timer went off."), now)
    news = False
    for trigger in state.schedule.due(state.spec.triggers, now, workflow.random().random):
        answer = await _passes(state, trigger)
        if answer is None:
            continue
        if trigger.text or answer:
            text = "\n\n".join(part for part in (trigger.text, answer) if part)
            state.mailbox.post(Message(id=str(workflow.uuid4()), sender=f"trigger/{trigger.type}", text=text), now)
        else:
            news = True
    return news


async def _passes(state: AgentState, trigger: IntervalTrigger | CronTrigger) -> str | None:
    """Return what the gate has to tell if the tick goes on, or None."""
    gate: Gate = trigger.effective_gate
    if gate == "always":
        return "" if trigger.text else "It is time for what you do regularly."
    if gate == "news":
        return "" if state.mailbox.count else None
    return await _ask_gate(state, trigger_key(trigger), gate)


async def _ask_gate(state: AgentState, key: str, gate: ToolGate) -> str | None:
    name = gate.tool.rpartition("/")[2]
    policy = state.tools.get(name)
    if policy is None or policy.kernel:
        return f"The gate of a trigger needs the tool {gate.tool}, which this agent does not have."
    try:
        outcome = await workflow.execute_activity_method(
            ToolHost.run_tool,
            ToolRequest(tool=name, key=str(workflow.uuid4()), arguments=gate.arguments, agent=state.spec.name),
            task_queue=policy.queue,
            start_to_close_timeout=timedelta(seconds=clamped(policy.timeout) + 5),
            schedule_to_start_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(maximum_attempts=policy.attempts),
            summary=clip(f"gate {gate.tool}"),
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return f"The gate {gate.tool} of a trigger failed: {clip(str(error.cause or error), PREVIEW_CHARS)}"
    digest = hashlib.sha256((outcome.ref or outcome.text).encode()).hexdigest()[:12]
    if state.schedule.gates.get(key) == digest:
        return None
    state.schedule.gates[key] = digest
    return f"{gate.tool} answered: {outcome.text}"


def event_message(state: AgentState, event: Event) -> Message | None:
    """Return what the agent is told of an event, or None where no trigger wants it.

    Raises:
        InvalidInput: It is too long to be told.
    """
    for trigger in state.spec.triggers:
        if isinstance(trigger, EventTrigger) and trigger.matches(event.type):
            told = event.model_dump_json(exclude_defaults=True)
            text = f"{trigger.text}\n\n{told}" if trigger.text else told
            message = Message(id=_identity(event), sender=f"event/{event.source}"[:_ID_CHARS], text=text)
            # Its data became text within JSON, where each quotation mark takes twice the room.
            check_size("event", message, MESSAGE_BYTES)
            return message
    return None


def _identity(event: Event) -> str:
    if not event.id:
        return str(workflow.uuid4())
    named = f"event/{event.source}/{event.id}"
    return named if len(named) <= _ID_CHARS else f"event/{hashlib.sha256(named.encode()).hexdigest()}"
