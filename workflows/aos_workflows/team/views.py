"""What a team shows of its state to queries and to the Web UI."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from temporalio import workflow

from aos.limits import clip, cut_bytes
from aos.message import Message, Reply
from aos.team_views import MemberView, TaskLine, TaskList, TaskReport, TaskStatus, TaskView, TeamStatus
from aos.views import DeadLetters
from aos_workflows.team.course import Finish
from aos_workflows.team.finished import KEPT, preview
from aos_workflows.team.roster import Change
from aos_workflows.team.state import TeamState
from aos_workflows.team.task import Line, Task

_WAITING_LISTED = 200
_DEAD_LISTED = 100
_REPLIES_BYTES = 1024 * 1024
_LINES_BYTES = 256 * 1024
_MILLION = 1_000_000

Condition = Literal["starting", "waiting", "working", "paused", "stopping", "stopped", "refused"]


def condition(state: TeamState) -> Condition:
    """Return in one word how the team is."""
    if state.stop_reason:
        return "stopping"
    if not state.ready:
        return "starting"
    if state.paused:
        return "paused"
    return "working" if state.tasks else "waiting"


def in_words(state: TeamState) -> str:
    """Return in a sentence what the team does."""
    waiting = f", {state.mailbox.count} waiting" if state.mailbox.count else ""
    over = f"{state.tasks_done} done, {state.tasks_failed} failed"
    match condition(state):
        case "starting":
            return f"Starting {len(state.spec.members)} members"
        case "stopping":
            return f"Stopping: {state.stop_reason}"
        case "paused":
            return f"Paused; {len(state.tasks)} tasks under way{waiting}"
        case "working":
            newest = next(reversed(state.tasks.values()))
            speaking = list(newest.asks)
            who = f"{', '.join(speaking[:3])}{' and others' if len(speaking) > 3 else ''} to speak" if speaking else ""
            doing = who or ("being judged" if newest.consult or newest.questions else "going on")
            more = f" and {len(state.tasks) - 1} more" if len(state.tasks) > 1 else ""
            return f"Working on “{clip(newest.message.text, 80)}”, {doing}{more}{waiting}; {over}"
        case _:
            return f"Waiting for a task; {over}"


def status(state: TeamState) -> TeamStatus:
    """Return the answer to the query `status`."""
    return TeamStatus(
        name=state.spec.name,
        condition=condition(state),
        doing=in_words(state),
        purpose=clip(state.spec.purpose, 500),
        version=state.spec.version,
        strategy=state.spec.strategy.type,
        members=members(state),
        tasks_open=len(state.tasks) + state.mailbox.count,
        tasks_done=state.tasks_done,
        tasks_failed=state.tasks_failed,
        dead_letters=state.dead_count,
        rollovers=state.rollovers,
        started=_time(state.started),
        spent=(state.spent + sum(task.usage.cost for task in state.tasks.values())) / _MILLION,
    )


def members(state: TeamState) -> list[MemberView]:
    """Return the members, each in one look."""
    return [
        MemberView(
            name=member.name,
            address=member.where,
            role=member.role,
            skills=list(member.skills or (member.agent.skills if member.agent else [])),
            condition=state.standing[member.name].condition if member.name in state.standing else "ready",
            child=member.is_child,
            turns=state.standing[member.name].turns if member.name in state.standing else 0,
            waiting_for=state.standing[member.name].load if member.name in state.standing else 0,
        )
        for member in state.spec.members
    ]


def task_view(
    state: TeamState, task: Task, status: TaskStatus, finish: Finish | None = None, reply: Reply | None = None
) -> TaskView:
    """Return a task in one look, one that is over with what came of it."""
    last = task.last
    return TaskView(
        id=task.id,
        team=state.spec.name,
        status=status,
        text=preview(task.message.text),
        result=preview(reply.text if reply else last.text if last else ""),
        stop_reason=clip(finish.reason, 300) if finish else "",
        messages=task.messages,
        turns=task.turns,
        speaking=[] if finish else list(task.asks)[:20],
        spent=task.usage.cost / _MILLION,
        tokens=task.usage.input_tokens + task.usage.output_tokens,
        asked_by=task.message.sender,
        began=_time(task.began),
        ended=_time(workflow.time()) if finish else None,
        deadline=task.message.deadline,
    )


def waiting_view(state: TeamState, message: Message, at: float) -> TaskView:
    """Return a task that waits."""
    return TaskView(
        id=message.id,
        team=state.spec.name,
        status="waiting",
        text=preview(message.text),
        asked_by=message.sender,
        began=_time(at),
        deadline=message.deadline,
    )


def tasks(state: TeamState) -> TaskList:
    """Return the answer to the query `tasks`: those that are over, those under way, those that wait."""
    waiting = [*state.mailbox.waiting, *state.mailbox.quiet][:_WAITING_LISTED]
    views = [finished.view for finished in state.finished[-KEPT:]]
    views += [task_view(state, task, "working") for task in state.tasks.values()]
    views += [waiting_view(state, letter.message, letter.at) for letter in waiting]
    count = state.tasks_done + state.tasks_failed + len(state.tasks) + state.mailbox.count
    return TaskList(count=count, tasks=views)


def task(state: TeamState, task_id: str) -> TaskReport | None:
    """Return the answer to the query `task`, or None where the task is not known any more."""
    if open_one := state.tasks.get(task_id):
        last = open_one.last
        return TaskReport(
            task=task_view(state, open_one, "working"),
            result=last.text if last else "",
            result_ref=last.ref if last else "",
            lines=newest(open_one.lines),
            older=open_one.older,
            ledger=open_one.course.ledger() if open_one.course else None,
        )
    for letter in (*state.mailbox.waiting, *state.mailbox.quiet):
        if letter.message.id == task_id:
            return TaskReport(task=waiting_view(state, letter.message, letter.at))
    for finished in reversed(state.finished):
        if finished.id == task_id:
            report = finished.report()
            reply = finished.reply or state.replies.get(task_id)
            return report.model_copy(
                update={
                    "result": reply.text if reply else report.result,
                    "result_ref": reply.ref if reply else report.result_ref,
                    "output": reply.output if reply else report.output,
                }
            )
    return None


def newest(lines: Sequence[Line]) -> list[TaskLine]:
    """Return the newest lines that fit into an answer."""
    room, at = _LINES_BYTES, len(lines)
    while at and (room := room - len(lines[at - 1].text.encode()) - 200) >= 0:
        at -= 1
    return [line(one) for one in lines[at:]]


def line(said: Line) -> TaskLine:
    """Return a line as people are shown it."""
    return TaskLine(
        source=said.source,
        text=said.text,
        ref=said.ref,
        handoff=said.handoff,
        called=said.called,
        usage=said.usage,
        at=_time(said.at),
    )


def dead_letters(state: TeamState) -> DeadLetters:
    """Return the answer to the query `dead_letters`."""
    return DeadLetters(count=state.dead_count, letters=state.dead[-_DEAD_LISTED:], older=state.dead_older)


def replies(state: TeamState, ids: Sequence[str]) -> list[Reply]:
    """Return the answer to the query `replies`. What has no room in it is `pending`, to be asked for again."""
    found: list[Reply] = []
    room = _REPLIES_BYTES
    for task_id in dict.fromkeys(ids):
        reply = state.replies.get(task_id)
        size = len(reply.model_dump_json()) if reply else 0
        if reply and (size <= room or not found):
            room -= size
            found.append(reply)
        elif reply or state.may_hold(task_id):
            found.append(Reply(id=task_id, status="pending"))
    return found


def roster_note(change: Change) -> str:
    """Return what those who work on a task are told of another roster."""
    here = {member.name for member in change.spec.members}
    joined = [member for member in change.joined if member.name not in change.renewed]
    told = [f"{member.name} left" for member in change.left if member.name not in here]
    told += [f"{name} is somebody else now" for name in change.renewed]
    told += [f"{member.name} joined{f', as {member.role}' if member.role else ''}" for member in joined]
    told += [f"{name} has another role: {role}" for name, role in change.roles.items()]
    return cut_bytes("the team has changed: " + "; ".join(told), 2000)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
