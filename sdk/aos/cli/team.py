"""Teams: `aos team start`, `ls`, `show`, `spec`, `add`, `remove`, `pause`, `resume` and `stop`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aos.cli.connecting import run
from aos.cli.options import Output, example
from aos.cli.output import console, emit, plain, say
from aos.cli.wording import age, counted, money
from aos.errors import AosError, InvalidInput

if TYPE_CHECKING:
    from aos.client import AosClient
    from aos.team_views import TeamStatus

app = typer.Typer(
    name="team",
    no_args_is_help=True,
    short_help="Start teams, and change who is in them.",
    help="Teams of agents: start them, look at them, change who is in them.",
    epilog=example("aos team start news.yaml", "aos ask team/news 'Write about the harbour.'", "aos team show news"),
)

Team = Annotated[str, typer.Argument(metavar="TEAM", help="The team's name.", show_default=False)]

_PATIENCE = 5.0


@app.command(epilog=example("aos team start news.yaml"))
def start(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A YAML file with a team in it: name and members.")],
    output: Output = "text",
) -> None:
    """Start a team, and the members that are born with it."""
    from aos.manifest import load_team

    spec = load_team(file)
    started = run(ctx, lambda client: client.teams.start(spec), about=f"team/{spec.name}", doing="starting")
    members = ", ".join(member.name for member in started.members)
    emit(output, started, lambda: say(f"team {started.name} is alive: {members}"))


@app.command(epilog=example("aos team ls", "aos team ls -o jsonl"))
def ls(ctx: typer.Context, output: Output = "text") -> None:
    """List the living teams."""
    found = run(ctx, _look, doing="asking the teams")

    def text() -> None:
        from rich.table import Table

        table = Table("NAME", "CONDITION", "MEMBERS", "OPEN", "DONE", "SPENT", "DOING", box=None, pad_edge=False)
        for status in found:
            open_, done = str(status.tasks_open), str(status.tasks_done)
            members = ", ".join(member.name for member in status.members)
            table.add_row(
                status.name, status.condition, plain(members), open_, done, money(status.spent), plain(status.doing)
            )
        console().print(table) if found else say("no team is alive; start one with: aos team start FILE")

    emit(output, found, text)


async def _look(client: AosClient) -> list[TeamStatus]:
    async def one(name: str) -> TeamStatus | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await client.teams.status(name)
        except (AosError, TimeoutError):
            return None

    found = await asyncio.gather(*map(one, await client.teams.names()))
    return [status for status in found if status]


@app.command(epilog=example("aos team show news"))
def show(ctx: typer.Context, name: Team, output: Output = "text") -> None:
    """Show how a team is, and its members."""
    found = run(ctx, lambda client: client.teams.status(name), about=f"team/{name}")

    def text() -> None:
        from rich.table import Table

        say(f"{found.name} is {found.condition}: {found.doing}")
        say(f"{found.strategy}; began {age(found.started)}; {money(found.spent)} spent")
        say(f"{found.tasks_open} open, {found.tasks_done} done, {counted(found.tasks_failed, 'task')} failed")
        table = Table("MEMBER", "ADDRESS", "CONDITION", "TURNS", "ROLE", box=None, pad_edge=False)
        for member in found.members:
            table.add_row(member.name, member.address, member.condition, str(member.turns), plain(member.role))
        console().print(table)

    emit(output, found, text)


@app.command(epilog=example("aos team spec news > news.yaml"))
def spec(ctx: typer.Context, name: Team, output: Output = "text") -> None:
    """Show a team's spec as YAML for `aos team start`."""
    found = run(ctx, lambda client: client.teams.spec(name), about=f"team/{name}")

    def text() -> None:
        from aos.manifest import as_yaml

        say(as_yaml(found))

    emit(output, found, text)


@app.command(epilog=example("aos team role news critic 'Find what is wrong.'"))
def role(
    ctx: typer.Context,
    name: Team,
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Its name in the team.")],
    role: Annotated[str, typer.Argument(metavar="ROLE", help="What it is there for from now on.")],
    output: Output = "text",
) -> None:
    """Change what a member is there for."""
    changed = run(
        ctx, lambda client: client.teams.change_members(name, {"roles": {member: role}}), about=f"team/{name}"
    )
    emit(output, changed, lambda: say(f"{member} has a new role in {name}"))


@app.command(epilog=example("aos team configure news max_turns=20", "aos team configure news 'strategy={type: swarm}'"))
def configure(
    ctx: typer.Context,
    name: Team,
    change: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE", help="Field, and its new value as YAML.")],
    output: Output = "text",
) -> None:
    """Change fields of a team's spec; tasks under way keep what they began with."""
    from aos.manifest import read_setting

    changes = dict(read_setting(one) for one in change)
    changed = run(ctx, lambda client: client.teams.configure(name, changes), about=f"team/{name}")
    emit(output, changed, lambda: say(f"{name} has a new {', '.join(changes)}"))


@app.command(epilog=example("aos team add news critic=zoe", "aos team add news desk=team/desk"))
def add(
    ctx: typer.Context,
    name: Team,
    members: Annotated[list[str], typer.Argument(metavar="MEMBER=ADDRESS", help="One that lives already.")],
    output: Output = "text",
) -> None:
    """Add members that live already, from the next turn on."""
    new = [_member(text) for text in members]
    spec = run(ctx, lambda client: client.teams.change_members(name, {"add": new}), about=f"team/{name}")
    emit(output, spec, lambda: say(f"{name} has {counted(len(spec.members), 'member')} now"))


@app.command(epilog=example("aos team remove news critic", "aos team remove news writer --keep"))
def remove(
    ctx: typer.Context,
    name: Team,
    members: Annotated[list[str], typer.Argument(metavar="MEMBER", help="Their names in the team.")],
    keep: Annotated[bool, typer.Option("--keep", help="Let those live on that were born with the team.")] = False,
    output: Output = "text",
) -> None:
    """Remove members; those that were born with the team are stopped."""
    changes = {"remove": members, "keep": keep}
    spec = run(ctx, lambda client: client.teams.change_members(name, changes), about=f"team/{name}")
    emit(output, spec, lambda: say(f"{name} has {counted(len(spec.members), 'member')} now"))


@app.command(epilog=example("aos team pause news"))
def pause(ctx: typer.Context, name: Team, output: Output = "text") -> None:
    """Have a team begin no more turns; its tasks wait."""
    run(ctx, lambda client: client.teams.pause(name), about=f"team/{name}")
    emit(output, {"name": name, "paused": True}, lambda: say(f"{name} pauses"))


@app.command(epilog=example("aos team resume news"))
def resume(ctx: typer.Context, name: Team, output: Output = "text") -> None:
    """Have a paused team go on."""
    run(ctx, lambda client: client.teams.resume(name), about=f"team/{name}")
    emit(output, {"name": name, "paused": False}, lambda: say(f"{name} goes on"))


@app.command(epilog=example("aos team stop news --reason 'The season is over.'"))
def stop(
    ctx: typer.Context,
    name: Team,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "stopped on request",
    output: Output = "text",
) -> None:
    """End a team and the members that were born with it."""
    from aos.control import Stop
    from aos.reading import read_object

    how = read_object(Stop, "stop", {"reason": reason})
    farewell = run(ctx, lambda client: client.teams.stop(name, how), about=f"team/{name}", doing=f"{name} ends")

    def text() -> None:
        say(f"{name} is stopped: {counted(farewell.tasks_done, 'task')} done, {farewell.tasks_failed} failed")
        if farewell.unfinished:
            say(f"not finished: {', '.join(farewell.unfinished)}")

    emit(output, farewell, text)


def _member(text: str) -> dict[str, object]:
    name, equals, address = text.partition("=")
    if not equals or not name or not address:
        raise InvalidInput(repr(text), ["write MEMBER=ADDRESS, for instance critic=zoe or desk=team/desk"])
    return {"name": name, "address": address}
