"""The team of `aos demo`, the one in `examples/desk`: it answers from documents, and checks what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aos.client import AosClient
from aos.errors import TeamExists
from aos.limits import clip
from aos.message import Message, Reply
from aos.spec import AgentSpec
from aos.team_spec import Member, TeamSpec
from aos.team_views import TaskReport
from aos.termination import MaxMessages, TextMention

_SHOWN_CHARS = 1000

DESK = TeamSpec(
    name="desk",
    purpose="Answer questions from the documents, and from nothing else.",
    members=[
        Member(
            name="researcher",
            role="Read the documents, and quote what answers the task.",
            agent=AgentSpec(
                name="desk.researcher",
                purpose="Find in documents what answers a question.",
                instructions="Begin with list_documents. Quote whole sentences, each as “sentence” (from document.md).",
                tools=["list_documents", "read_document"],
                permissions=["documents.read"],
            ),
        ),
        Member(
            name="writer",
            role="Write the answer from what was found, in at most five sentences.",
            agent=AgentSpec(
                name="desk.writer",
                purpose="Write short answers that rest on what others have found.",
                instructions="Add nothing that was not found. Mend what the critic says is wrong.",
                tools=[],
            ),
        ),
        Member(
            name="critic",
            role=(
                "Check what was said against the documents, sentence by sentence: if they bear all of it out, "
                "say APPROVED and repeat the answer; if not, say what they do not."
            ),
            agent=AgentSpec(
                name="desk.critic",
                purpose="Let no answer pass that the documents do not bear out.",
                instructions="Begin with list_documents, and read for yourself.",
                tools=["list_documents", "read_document"],
                permissions=["documents.read"],
            ),
        ),
    ],
    termination=TextMention(text="APPROVED", sources=["critic"]) | MaxMessages(count=10),
)


async def show_team(client: AosClient, task: str, console: Console, report: Callable[[str], None]) -> Reply:
    """Give the team a task, and show who is in it and what was said."""
    try:
        await client.teams.start(DESK)
        report(f"team {DESK.name} is alive: workflow team/{DESK.name}")
    except TeamExists:
        report(f"team {DESK.name} lives on")
    console.print(_members(DESK))
    reply = await client.ask(f"team/{DESK.name}", Message(text=task, sender="demo"))
    found = await client.teams.task(DESK.name, reply.id)
    console.print(_transcript(found))
    report(
        f"the team's task is {found.task.status}: {found.task.stop_reason}; "
        f"{found.task.messages} messages, {found.task.tokens:,} tokens, {found.task.spent:.6f} US dollars"
    )
    return reply


def task_on(names: Sequence[str], questions: Sequence[str]) -> str:
    """Return a task for the team: the questions, and to sum up the documents of those names."""
    return " ".join([*questions, *(f"Sum up {name} in two sentences." for name in names)])


def _members(spec: TeamSpec) -> Table:
    table = Table(title=f"The team: {spec.purpose}", title_justify="left")
    table.add_column("member", no_wrap=True)
    table.add_column("role")
    for member in spec.members:
        table.add_row(member.name, escape(member.role))
    return table


def _transcript(report: TaskReport) -> Table:
    table = Table(title="What was said in its task", title_justify="left", show_lines=True)
    table.add_column("who", no_wrap=True)
    table.add_column("what")
    for line in report.lines:
        text = line.text if len(line.text) <= _SHOWN_CHARS else clip(line.text, _SHOWN_CHARS)
        table.add_row("the task" if line.source == "user" else line.source, escape(text))
    return table
