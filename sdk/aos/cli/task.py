"""Tasks of teams: `aos task ls`, `show`, `wait` and `cancel`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from aos.cli.connecting import run
from aos.cli.options import OneTeam, Output, Task, Team, example
from aos.cli.output import complain, console, emit, plain, say
from aos.cli.wording import age, counted, money
from aos.errors import AosError

if TYPE_CHECKING:
    from aos.client import AosClient
    from aos.team_views import TaskList, TaskReport

app = typer.Typer(
    name="task",
    no_args_is_help=True,
    short_help="Look at the tasks of teams, and end them.",
    help="The tasks of teams: what was said in them, and what came of them. `aos ask team/NAME` gives a team one.",
    epilog=example("aos task ls news", "aos task show news 6f0c"),
)

_LOOK_SECONDS = 0.5


@app.command(epilog=example("aos task ls", "aos task ls news"))
def ls(ctx: typer.Context, team: OneTeam = None, output: Output = "text") -> None:
    """List the tasks of a team, or of all teams, the newest last."""
    found = run(ctx, lambda client: client.teams.tasks(team) if team else _of_all(client), about=f"team/{team}")

    def text() -> None:
        from rich.table import Table

        table = Table("TEAM", "TASK", "STATUS", "BEGAN", "MESSAGES", "SPENT", "TEXT", box=None, pad_edge=False)
        for task in found.tasks:
            numbers = (str(task.messages), money(task.spent))
            table.add_row(task.team, plain(task.id), task.status, age(task.began), *numbers, plain(task.text))
        who = f"{team} has" if team else "there are"
        console().print(table) if found.tasks else say(
            f"{who} no tasks; give a team one: aos ask team/{team or 'NAME'}"
        )

    emit(output, found, text, lines=found.tasks)


async def _of_all(client: AosClient) -> TaskList:
    from aos.team_views import TaskList

    async def one(name: str) -> TaskList:
        try:
            return await client.teams.tasks(name)
        except AosError:  # It ended meanwhile.
            return TaskList(count=0, tasks=[])

    lists = await asyncio.gather(*map(one, await client.teams.names()))
    tasks = sorted((task for found in lists for task in found.tasks), key=lambda task: task.began)
    return TaskList(count=sum(found.count for found in lists), tasks=tasks)


@app.command(epilog=example("aos task show news 6f0c"))
def show(ctx: typer.Context, team: Team, task: Task, output: Output = "text") -> None:
    """Show a task, with the newest of what was said in it."""
    found = run(ctx, lambda client: client.teams.task(team, task), about=f"team/{team}")
    emit(output, found, lambda: _show(found))


@app.command(epilog=example("aos task wait news 6f0c"))
def wait(ctx: typer.Context, team: Team, task: Task, output: Output = "text") -> None:
    """Wait for a task that was given before, and write what comes of it."""

    async def work(client: AosClient) -> tuple[TaskReport, str]:
        report = await client.teams.task(team, task)
        while report.task.status in ("waiting", "working"):
            await asyncio.sleep(_LOOK_SECONDS)
            report = await client.teams.task(team, task)
        whole = await client.text(report.result_ref) if report.result_ref and output == "text" else report.result
        return report, whole

    report, whole = run(ctx, work, about=f"team/{team}", doing=f"{team} is at work")
    emit(output, report, lambda: say(whole))
    if report.task.status != "done":
        complain(f"{task} is {report.task.status}: {report.task.stop_reason}")
        raise typer.Exit(1)


@app.command(epilog=example("aos task cancel news 6f0c", "aos task cancel news 6f0c --finish"))
def cancel(
    ctx: typer.Context,
    team: Team,
    task: Task,
    finish: Annotated[bool, typer.Option("--finish", help="Take what there is as the result.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "ended on request",
    output: Output = "text",
) -> None:
    """End a task before it is over."""
    wanted = {"id": task, "how": "finish" if finish else "cancel", "reason": reason}
    found = run(ctx, lambda client: client.teams.end_task(team, wanted), about=f"team/{team}")
    emit(output, found, lambda: say(f"{task} is {found.status}: {found.stop_reason}"))


def _show(report: TaskReport) -> None:
    task = report.task
    say(f"{task.id} is {task.status}" + (f": {task.stop_reason}" if task.stop_reason else ""))
    speaking = f"; waiting for {', '.join(task.speaking)}" if task.speaking else ""
    say(f"{counted(task.messages, 'message')}, {counted(task.turns, 'turn')}, {money(task.spent)}{speaking}")
    for line in report.lines:
        say(f"{line.source}> {line.text}" + (f" [to {line.handoff}]" if line.handoff else ""))
