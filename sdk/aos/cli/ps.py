"""`aos ps`: all living agents and teams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from aos.cli.connecting import answered, connected, with_sign_of_life
from aos.cli.options import Output, example
from aos.cli.output import console, emit, plain, say
from aos.cli.tree import Row, tree
from aos.cli.wording import money, total
from aos.errors import AosError

if TYPE_CHECKING:
    from rich.table import Table

    from aos.client import AosClient
    from aos.team_views import TeamStatus
    from aos.views import AgentStatus

S = TypeVar("S")

app = typer.Typer()

_PATIENCE = 5.0
_AT_A_TIME = 20
_EVERY = 1.0
_NOBODY = "no agent is alive; start one with: aos start ada --purpose 'Answer questions.'"


@dataclass(frozen=True, slots=True)
class _Living:
    """Everybody who lives, by address; None for who does not answer."""

    agents: dict[str, AgentStatus | None]
    teams: dict[str, TeamStatus | None]

    def records(self) -> list[dict[str, Any]]:
        """Return a record for each, agents first. `member_of` has the names of the teams that one is in."""
        everybody = {**self.agents, **self.teams}
        return [self._record(address, status) for address, status in everybody.items()]

    def _record(self, address: str, status: AgentStatus | TeamStatus | None) -> dict[str, Any]:
        kind, _, name = address.partition("/")
        said = status.model_dump(mode="json") if status else {"name": name, "condition": "not answering"}
        teams = [team.name for team in self.teams.values() if team and address in {m.address for m in team.members}]
        return {"kind": kind, **said, "member_of": teams}

    def rows(self) -> list[Row]:
        """Return the tree that they form."""
        return tree([*self.agents], {address: team.members if team else [] for address, team in self.teams.items()})


@app.command(epilog=example("aos ps", "aos ps --watch", "aos ps -o jsonl"))
def ps(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, once a second, until Ctrl-C.")] = False,
    output: Output = "text",
) -> None:
    """List the living agents and teams, as a tree."""
    with asyncio.Runner() as runner:
        client = connected(ctx, runner)

        def look() -> _Living:
            return answered(runner, lambda: with_sign_of_life(_look(client), "asking the agents"), "")

        living = look()
        if watch and output == "text" and sys.stdout.isatty():
            from rich.live import Live

            with Live(_table(living), console=console(), screen=True) as live:
                while True:
                    runner.run(asyncio.sleep(_EVERY))
                    live.update(_table(look()))
        _show(living, output)
        while watch:
            runner.run(asyncio.sleep(_EVERY))
            _show(look(), output)


async def _look(client: AosClient) -> _Living:
    gate = asyncio.Semaphore(_AT_A_TIME)

    async def one(name: str, status: Callable[[str], Awaitable[S]]) -> S | None:
        try:
            async with gate, asyncio.timeout(_PATIENCE):
                return await status(name)
        except (AosError, TimeoutError):
            return None

    async def each(kind: str, names: Sequence[str], status: Callable[[str], Awaitable[S]]) -> dict[str, S | None]:
        found = await asyncio.gather(*(one(name, status) for name in names))
        return {f"{kind}/{name}": one for name, one in zip(names, found, strict=True)}

    agents, teams = await asyncio.gather(client.names(), client.teams.names())
    return _Living(
        *await asyncio.gather(each("agent", agents, client.status), each("team", teams, client.teams.status))
    )


def _show(living: _Living, output: str) -> None:
    records = living.records()
    emit(output, records, lambda: console().print(_table(living)) if records else say(_NOBODY))


def _table(living: _Living) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("NAME", no_wrap=True)
    table.add_column("CONDITION")
    for heading in ("WAITING", "HANDLED", "SPENT"):
        table.add_column(heading, justify="right")
    table.add_column("DOING", no_wrap=True, overflow="ellipsis")
    for row in living.rows():
        table.add_row(_named(row), *_cells(living, row))
    return table


def _named(row: Row) -> str:
    """Return a name that commands take, and what the one is called in its team where that is something else."""
    name = row.address.removeprefix("agent/")
    seat = row.seat.name if row.seat else ""
    told = not seat or seat == name or name.endswith((f".{seat}", f"/{seat}"))
    return plain(f"{row.branch}{name}" + ("" if told else f" as {seat}"))


def _cells(living: _Living, row: Row) -> list[str]:
    if team := living.teams.get(row.address):
        return [team.condition, str(team.tasks_open), str(team.tasks_done), money(team.spent), plain(team.doing)]
    if agent := living.agents.get(row.address):
        return [agent.condition, str(agent.waiting), str(agent.handled), total(agent.spend), plain(agent.doing)]
    if row.address in living.agents or row.address in living.teams:
        return ["not answering", "", "", "", "see `aos doctor`"]
    return ["starting" if row.seat and row.seat.condition == "starting" else "gone", "", "", "", ""]
