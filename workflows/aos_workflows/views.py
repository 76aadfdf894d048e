"""What an agent shows of its state to queries and to the Web UI."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from aos.limits import clip
from aos.message import Reply
from aos.views import AgentStatus, Condition, DeadLetters, InboxEntry, InboxView, ModelSpend, WaitView
from aos_workflows.mailbox import Envelope
from aos_workflows.state import AgentState
from aos_workflows.waits import Wait, address_of

_LISTED = 200
_DEAD_LISTED = 100
_REPLIES_BYTES = 1024 * 1024
_NAMED = 3


def condition(state: AgentState) -> Condition:
    """Return in one word how the agent is."""
    if state.stop_reason:
        return "stopping"
    if not state.program:
        return "starting"
    if state.paused:
        return "paused"
    return "working" if state.turn else "waiting"


def in_words(state: AgentState) -> str:
    """Return in a sentence what the agent does while no step is under way."""
    waiting = f"{state.mailbox.count} waiting" if state.mailbox.count else "nothing waiting"
    match condition(state):
        case "paused":
            return f"Paused, {waiting}"
        case "stopping":
            return f"Stopping: {state.stop_reason}"
        case "starting":
            return "Starting"
        case _:
            due = state.schedule.next_due
            tick = f", wakes by itself {_time(due):%Y-%m-%d %H:%M:%S} UTC" if due else ""
            return f"Waiting for a message{tick}; {state.handled} handled, {state.failed} failed"


def status(state: AgentState, doing: str) -> AgentStatus:
    """Return the answer to the query `status`. `doing` is what is shown while a step is under way."""
    due = state.schedule.next_due
    return AgentStatus(
        name=state.spec.name,
        condition=condition(state),
        doing=(awaited(state) or doing) if condition(state) == "working" else in_words(state),
        purpose=clip(state.spec.purpose, 500),
        version=state.spec.version,
        model=state.spec.model,
        waiting=state.mailbox.count,
        handled=state.handled,
        failed=state.failed,
        turns=state.turns,
        rollovers=state.rollovers,
        dead_letters=state.dead_count,
        context_tokens=state.context_tokens,
        next_tick=_time(due) if due else None,
        started=_time(state.started),
        spend=spend(state),
        waits_for=[_wait(wait) for wait in state.waits.open.values()],
        mailbox_limit=state.spec.mailbox_limit,
    )


def awaited(state: AgentState) -> str:
    """Return in words whose answers the agent waits for, or nothing where it waits for none."""
    names = list(dict.fromkeys(address_of(wait.to) for wait in state.waits.open.values()))
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    named = ", ".join(f"{name}'s" for name in names[:_NAMED])
    return f"Waiting for {named}{more} answer" + "s" * (len(names) > 1)


def _wait(wait: Wait) -> WaitView:
    return WaitView(
        to=address_of(wait.to),
        id=wait.id,
        kind=wait.kind,
        since=_time(wait.since),
        deadline=_time(wait.deadline) if wait.deadline is not None else None,
    )


def spend(state: AgentState) -> list[ModelSpend]:
    """Return what each model cost the agent."""
    return [ModelSpend.of(model, usage) for model, usage in sorted(state.spend.items())]


def inbox(state: AgentState) -> InboxView:
    """Return the answer to the query `inbox`."""
    entries = [*state.mailbox.waiting, *state.mailbox.quiet][:_LISTED]
    return InboxView(
        count=state.mailbox.count,
        set_aside=sum(page.count for page in state.mailbox.aside),
        entries=[_entry(envelope) for envelope in entries],
    )


def dead_letters(state: AgentState) -> DeadLetters:
    """Return the answer to the query `dead_letters`."""
    return DeadLetters(count=state.dead_count, letters=state.dead[-_DEAD_LISTED:], older=state.dead_older)


def replies(state: AgentState, ids: Sequence[str]) -> list[Reply]:
    """Return the answer to the query `replies`. What has no room in it is `pending`, to be asked for again."""
    found: list[Reply] = []
    room = _REPLIES_BYTES
    for message_id in dict.fromkeys(ids):
        reply = state.replies.get(message_id)
        size = len(reply.model_dump_json()) if reply else 0
        if reply and (size <= room or not found):
            room -= size
            found.append(reply)
        elif reply or state.may_hold(message_id):
            found.append(Reply(id=message_id, status="pending"))
    return found


def _entry(envelope: Envelope) -> InboxEntry:
    message = envelope.message
    return InboxEntry(
        id=message.id,
        sender=message.sender,
        priority=message.priority,
        mode=message.mode,
        wake=message.wake,
        at=_time(envelope.at),
        preview=clip(message.text),
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
