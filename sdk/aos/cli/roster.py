"""Who is in a team: `aos team add`, `replace`, `remove` and `role`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from aos.cli.connecting import run
from aos.cli.member import FORMS, HELP, read_member
from aos.cli.options import MemberName, MemberNames, Output, Team, example
from aos.cli.output import emit, say
from aos.cli.wording import counted

app = typer.Typer()

Given = Annotated[list[str], typer.Argument(metavar="MEMBER", help=f"{FORMS}: {HELP}", show_default=False)]
Keep = Annotated[bool, typer.Option("--keep", help="Let those live on that were born with the team.")]


@app.command(
    epilog=example(
        "aos team add news critic=zoe",
        "aos team add news desk=team/desk artist=agents/artist.yaml",
        "aos team add news 'critic:Finds what is wrong.'",
    )
)
def add(ctx: typer.Context, team: Team, members: Given, output: Output = "text") -> None:
    """Add members, from the next turn on."""
    _change(ctx, team, {"add": [read_member(text) for text in members]}, output)


@app.command(epilog=example("aos team replace news critic=zoe", "aos team replace news critic=zoe --keep"))
def replace(ctx: typer.Context, team: Team, members: Given, keep: Keep = False, output: Output = "text") -> None:
    """Put others in the places of members, from the next turn on.

    They keep the roles of those before them. Those that were born with the team are stopped.
    """
    wanted = [read_member(text) for text in members]
    changes = {"replace": wanted, "keep": keep}
    spec = run(ctx, lambda client: client.teams.change_members(team, changes), about=f"team/{team}")
    names = [member["name"] for member in wanted]

    def text() -> None:
        for member in spec.members:
            if member.name in names:
                say(f"{member.name} of {team} is {member.where} now")

    emit(output, spec, text)


@app.command(epilog=example("aos team remove news critic", "aos team remove news writer --keep"))
def remove(ctx: typer.Context, team: Team, members: MemberNames, keep: Keep = False, output: Output = "text") -> None:
    """Remove members; those that were born with the team are stopped."""
    _change(ctx, team, {"remove": members, "keep": keep}, output)


@app.command(epilog=example("aos team role news critic 'Find what is wrong.'"))
def role(
    ctx: typer.Context,
    team: Team,
    member: MemberName,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="What it is there for from now on.", show_default=False)],
    output: Output = "text",
) -> None:
    """Change what a member is there for."""
    changed = run(
        ctx, lambda client: client.teams.change_members(team, {"roles": {member: role}}), about=f"team/{team}"
    )
    emit(output, changed, lambda: say(f"{member} has a new role in {team}"))


def _change(ctx: typer.Context, team: str, changes: dict[str, Any], output: str) -> None:
    spec = run(ctx, lambda client: client.teams.change_members(team, changes), about=f"team/{team}")
    emit(output, spec, lambda: say(f"{team} has {counted(len(spec.members), 'member')} now"))
