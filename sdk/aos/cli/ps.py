"""`aos ps`: all living agents."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from aos.cli.connecting import answered, connected, with_sign_of_life
from aos.cli.options import Output, example
from aos.cli.output import console, emit, plain, say
from aos.cli.wording import total
from aos.errors import AosError

if TYPE_CHECKING:
    from rich.table import Table

    from aos.cli.output import Record
    from aos.client import AosClient
    from aos.views import AgentStatus

app = typer.Typer()

_PATIENCE = 5.0
_AT_A_TIME = 20
_EVERY = 1.0
_NOBODY = "no agent is alive; start one with: aos start ada --purpose 'Answer questions.'"


@app.command(epilog=example("aos ps", "aos ps --watch", "aos ps -o jsonl"))
def ps(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, once a second, until Ctrl-C.")] = False,
    output: Output = "text",
) -> None:
    """List the living agents."""
    with asyncio.Runner() as runner:
        client = connected(ctx, runner)

        def look() -> list[tuple[str, AgentStatus | None]]:
            return answered(runner, lambda: with_sign_of_life(_look(client), "asking the agents"), "")

        agents = look()
        if watch and output == "text" and sys.stdout.isatty():
            from rich.live import Live

            with Live(_table(agents), console=console(), screen=True) as live:
                while True:
                    runner.run(asyncio.sleep(_EVERY))
                    live.update(_table(look()))
        _show(agents, output)
        while watch:
            runner.run(asyncio.sleep(_EVERY))
            _show(look(), output)


async def _look(client: AosClient) -> list[tuple[str, AgentStatus | None]]:
    gate = asyncio.Semaphore(_AT_A_TIME)

    async def one(name: str) -> tuple[str, AgentStatus | None]:
        try:
            async with gate, asyncio.timeout(_PATIENCE):
                return name, await client.status(name)
        except (AosError, TimeoutError):
            return name, None

    return list(await asyncio.gather(*map(one, await client.names())))


def _show(agents: Sequence[tuple[str, AgentStatus | None]], output: str) -> None:
    records: list[Record] = [status or {"name": name, "condition": "not answering"} for name, status in agents]
    emit(output, records, lambda: console().print(_table(agents)) if agents else say(_NOBODY))


def _table(agents: Sequence[tuple[str, AgentStatus | None]]) -> Table:
    from rich.table import Table

    table = Table("NAME", "CONDITION", box=None, pad_edge=False)
    for heading in ("WAITING", "HANDLED", "SPENT"):
        table.add_column(heading, justify="right")
    table.add_column("DOING", no_wrap=True, overflow="ellipsis")
    for name, status in agents:
        if status:
            numbers = (str(status.waiting), str(status.handled), total(status.spend))
            table.add_row(name, status.condition, *numbers, plain(status.doing))
        else:
            table.add_row(name, "not answering", "", "", "", "see `aos doctor`")
    return table
