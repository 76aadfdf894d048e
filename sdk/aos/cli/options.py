"""Arguments and options that several commands share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aos.cli.connecting import looked_up
from aos.errors import InvalidInput

if TYPE_CHECKING:
    from aos.client import AosClient

Format = Literal["text", "json", "jsonl"]

_TEAM = "team/"


def _complete_name(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, looked_up(ctx, lambda client: client.names()))


def _complete_who(ctx: typer.Context, incomplete: str) -> list[str]:
    async def names(client: AosClient) -> list[str]:
        agents, teams = await asyncio.gather(client.names(), client.teams.names())
        return [*agents, *(_TEAM + team for team in teams)]

    return _beginning(incomplete, looked_up(ctx, names))


def _complete_team(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, looked_up(ctx, lambda client: client.teams.names()))


def _complete_member(ctx: typer.Context, incomplete: str) -> list[str]:
    async def names(client: AosClient) -> list[str]:
        return [member.name for member in (await client.teams.status(_team(ctx))).members]

    return _beginning(incomplete, looked_up(ctx, names)) if _team(ctx) else []


def _complete_task(ctx: typer.Context, incomplete: str) -> list[str]:
    async def ids(client: AosClient) -> list[str]:
        return [task.id for task in (await client.teams.tasks(_team(ctx))).tasks]

    return _beginning(incomplete, looked_up(ctx, ids)) if _team(ctx) else []


def _team(ctx: typer.Context) -> str:
    return str(ctx.params.get("team") or "")


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _agent_only(name: str) -> str:
    kind, slash, bare = name.partition("/")
    if slash and kind in ("team", "topic"):
        raise InvalidInput(name, [f"this is for agents; `aos {kind} show {bare}` shows the {kind}"])
    return name


def _answering(name: str) -> str:
    if name.startswith("topic/"):
        raise InvalidInput(name, [f"a topic does not answer; `aos send {name}` tells all its subscribers"])
    return name


def _bare_team(name: str | None) -> str | None:
    return name.removeprefix(_TEAM) if name else None


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="The agent's name.",
        autocompletion=_complete_name,
        callback=_agent_only,
        show_default=False,
    ),
]
Who = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The agent's name, or team/NAME.", autocompletion=_complete_who, show_default=False
    ),
]
WhoAnswers = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="The agent's name, or team/NAME.",
        autocompletion=_complete_who,
        callback=_answering,
        show_default=False,
    ),
]
Team = Annotated[
    str,
    typer.Argument(
        metavar="TEAM", help="The team's name.", autocompletion=_complete_team, callback=_bare_team, show_default=False
    ),
]
OneTeam = Annotated[
    str | None,
    typer.Argument(
        metavar="TEAM",
        help="Of this team only.",
        autocompletion=_complete_team,
        callback=_bare_team,
        show_default=False,
    ),
]
MemberName = Annotated[
    str,
    typer.Argument(
        metavar="MEMBER", help="What it is called in the team.", autocompletion=_complete_member, show_default=False
    ),
]
MemberNames = Annotated[
    list[str],
    typer.Argument(
        metavar="MEMBER", help="What they are called in the team.", autocompletion=_complete_member, show_default=False
    ),
]
Task = Annotated[
    str,
    typer.Argument(
        metavar="TASK", help="The task's id: that of the message.", autocompletion=_complete_task, show_default=False
    ),
]
Output = Annotated[
    Format, typer.Option("--output", "-o", help="For people, as one JSON document, or as one JSON object a line.")
]


def example(*lines: str) -> str:
    """Return the end of a command's help that shows how it is typed."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)
