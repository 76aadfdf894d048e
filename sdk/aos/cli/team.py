"""Teams: `aos team start`, `ls`, `show`, `spec`, `configure`, `pause`, `resume` and `stop`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aos.cli import roster
from aos.cli.birth import start_all
from aos.cli.connecting import run
from aos.cli.member import FORMS, HELP, read_member
from aos.cli.options import Output, Team, example
from aos.cli.output import console, emit, plain, say
from aos.cli.wording import age, counted, money
from aos.errors import AosError, InvalidInput

if TYPE_CHECKING:
    from aos.client import AosClient
    from aos.team_spec import TeamSpec
    from aos.team_views import TeamStatus

app = typer.Typer(
    name="team",
    no_args_is_help=True,
    short_help="Start teams, and change who is in them.",
    help="Teams of agents: start them, look at them, change who is in them.",
    epilog=example(
        "aos team start news --member 'writer:Writes the notice.' --member critic=zoe",
        "aos ask team/news 'Write about the harbour.'",
        "aos team show news",
    ),
)

_PATIENCE = 5.0


@app.command(
    epilog=example(
        "aos team start news.yaml",
        "aos team start news --member 'writer:Writes the notice.' --member critic=zoe --strategy round_robin",
    )
)
def start(
    ctx: typer.Context,
    team: Annotated[
        str, typer.Argument(metavar="FILE|NAME", help="A YAML file with a team in it, or a name.", show_default=False)
    ],
    member: Annotated[
        list[str] | None, typer.Option(metavar="MEMBER", help=f"{FORMS}: {HELP} May be given again.")
    ] = None,
    strategy: Annotated[
        str, typer.Option(metavar="TYPE", help="Who speaks next, such as selector; or its fields as YAML.")
    ] = "",
    purpose: Annotated[str, typer.Option(help="Why the team exists.")] = "",
    output: Output = "text",
) -> None:
    """Start a team, and the members that are born with it."""
    spec = _spec(team, member or [], strategy, purpose)
    (birth,) = run(ctx, lambda client: start_all(client, [spec]), about=f"team/{spec.name}", doing="starting")
    if birth.error:
        raise birth.error
    how = "alive" if birth.taken_up else "started, and waits for a worker (see `aos doctor`)"
    members = ", ".join(member.name for member in spec.members)
    emit(output, spec, lambda: say(f"team {spec.name} is {how}: {members}"))


def _spec(team: str, members: list[str], strategy: str, purpose: str) -> TeamSpec:
    from aos.manifest import SUFFIXES, load_team
    from aos.reading import read_object
    from aos.team_spec import TeamSpec

    name = team.removeprefix("team/")
    given: dict[str, Any] = {
        "members": [read_member(text) for text in members],
        "strategy": _strategy(strategy) if strategy else None,
        "purpose": purpose,
    }
    fields = {field: value for field, value in given.items() if value}
    if Path(team).suffix in SUFFIXES or "/" in name:
        if fields:
            raise InvalidInput(team, ["a file says all about its team; the options go with a name"])
        return load_team(Path(team))
    if not members:
        raise InvalidInput(f"team {name!r}", [f"it needs somebody in it: --member {FORMS}, or a YAML file"])
    return read_object(TeamSpec, f"team {name!r}", {"name": name, **fields})


def _strategy(text: str) -> object:
    from aos.manifest import read_setting

    return read_setting(f"strategy={text}")[1] if text.lstrip().startswith("{") else {"type": text}


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
def show(ctx: typer.Context, team: Team, output: Output = "text") -> None:
    """Show how a team is, and its members."""
    found = run(ctx, lambda client: client.teams.status(team), about=f"team/{team}")

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
def spec(ctx: typer.Context, team: Team, output: Output = "text") -> None:
    """Show a team's spec as YAML for `aos team start`."""
    found = run(ctx, lambda client: client.teams.spec(team), about=f"team/{team}")

    def text() -> None:
        from aos.manifest import as_yaml

        say(as_yaml(found))

    emit(output, found, text)


app.add_typer(roster.app)


@app.command(epilog=example("aos team configure news max_turns=20", "aos team configure news 'strategy={type: swarm}'"))
def configure(
    ctx: typer.Context,
    team: Team,
    change: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE", help="Field, and its new value as YAML.")],
    output: Output = "text",
) -> None:
    """Change fields of a team's spec; tasks under way keep what they began with."""
    from aos.manifest import read_setting

    changes = dict(read_setting(one) for one in change)
    changed = run(ctx, lambda client: client.teams.configure(team, changes), about=f"team/{team}")
    emit(output, changed, lambda: say(f"{team} has a new {', '.join(changes)}"))


@app.command(epilog=example("aos team pause news"))
def pause(ctx: typer.Context, team: Team, output: Output = "text") -> None:
    """Have a team begin no more turns; its tasks wait."""
    run(ctx, lambda client: client.teams.pause(team), about=f"team/{team}")
    emit(output, {"name": team, "paused": True}, lambda: say(f"{team} pauses"))


@app.command(epilog=example("aos team resume news"))
def resume(ctx: typer.Context, team: Team, output: Output = "text") -> None:
    """Have a paused team go on."""
    run(ctx, lambda client: client.teams.resume(team), about=f"team/{team}")
    emit(output, {"name": team, "paused": False}, lambda: say(f"{team} goes on"))


@app.command(epilog=example("aos team stop news --reason 'The season is over.'"))
def stop(
    ctx: typer.Context,
    team: Team,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "stopped on request",
    output: Output = "text",
) -> None:
    """End a team and the members that were born with it."""
    from aos.control import Stop
    from aos.reading import read_object

    how = read_object(Stop, "stop", {"reason": reason})
    farewell = run(ctx, lambda client: client.teams.stop(team, how), about=f"team/{team}", doing=f"{team} ends")

    def text() -> None:
        say(f"{team} is stopped: {counted(farewell.tasks_done, 'task')} done, {farewell.tasks_failed} failed")
        if farewell.unfinished:
            say(f"not finished: {', '.join(farewell.unfinished)}")

    emit(output, farewell, text)
