"""What a member is told when it is its turn."""

from __future__ import annotations

from aos.limits import cut_bytes
from aos.parts import BlobPart, Part
from aos.team_spec import Member, TeamSpec
from aos_workflows.team.task import Line, Task

SHOWN_BYTES = 1024
"""How much of a long text stands in the message itself; the whole is a part of it."""

OTHERS = 30
"""Members whose roles a new one is told."""

PARTS = 20

NEWS_BYTES = 256 * 1024
"""Most bytes of what was said that one message tells."""

YOUR_TURN = "It is your turn again; nothing new was said."


def brief(spec: TeamSpec, task: Task, member: Member | None, told: str, *, alone: bool) -> tuple[str, list[Part]]:
    """Return text and parts of the message to a member; None for one from outside of the team.

    Who is asked for the first time in this task is told what the team is and who is in it. `told` comes after what
    was said since the member's last turn; `alone`: nothing of that.
    """
    name = member.name if member else ""
    new = name not in task.told
    texts = [_introduction(spec, member)] if new and member else []
    parts: list[Part] = [*task.message.parts] if new and not alone else []
    if not alone:
        if (missing := task.missing_for(name)) and not new:
            texts.append(f"({missing} earlier messages are left out here)")
        for line in _newest(task.news_for(name)):
            texts.append(_told(line))
            if line.ref:
                parts.append(BlobPart(ref=line.ref, name=f"what {line.source} said"[:200]))
    if told:
        texts.append(told)
    return "\n\n".join(texts) or YOUR_TURN, parts[-PARTS:]


def _introduction(spec: TeamSpec, member: Member) -> str:
    lines = [f"You are {member.name} in the team {spec.name}." + (f" Your role: {member.role}" if member.role else "")]
    if spec.purpose:
        lines.append(f"The team's purpose: {spec.purpose}")
    others = [other for other in spec.members[: OTHERS + 1] if other.name != member.name][:OTHERS]
    if others:
        named = [f"{other.name} ({other.role})" if other.role else other.name for other in others]
        left_out = len(spec.members) - 1 - len(others)
        more = f" and {left_out} more" if left_out else ""
        lines.append(f"With you in it: {', '.join(named)}{more}.")
    lines.append("What follows is the task and what was said to it; answer with your part.")
    return "\n".join(lines)


def _newest(lines: list[Line]) -> list[Line]:
    room, at = NEWS_BYTES, len(lines)
    while at and (room := room - len(lines[at - 1].text.encode())) >= 0:
        at -= 1
    return lines[at:]


def _told(line: Line) -> str:
    if not line.ref:
        return f"{line.source}: {line.text}"
    return f"{line.source}: {cut_bytes(line.text, SHOWN_BYTES)}… [the whole text is attached]"
