"""`aos chat`: a talk with an agent that shows its words as they come."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
from functools import partial
from typing import TYPE_CHECKING

import typer

from aos.cli.connecting import answered, connected
from aos.cli.options import Name, example
from aos.cli.output import complain, plain
from aos.cli.typewriter import Typewriter
from aos.errors import MessageFailed

if TYPE_CHECKING:
    from aos.client import AosClient

app = typer.Typer()


@app.command(epilog=example("aos chat ada", "printf 'Good morning.\\nWhat is new?\\n' | aos chat ada"))
def chat(ctx: typer.Context, name: Name) -> None:
    """Talk with an agent, a line at a time, until Ctrl-D."""
    person = sys.stdin.isatty()
    if person:
        typer.echo(f"You talk with {name}; Ctrl-D ends it, and {name} lives on.", err=True)
        with contextlib.suppress(ImportError):
            importlib.import_module("readline")  # gives input() line editing and history
    failed = False
    # Lines are read outside of the loop: there Ctrl-C gets through while a person is typing.
    with asyncio.Runner() as runner:
        client = connected(ctx, runner)
        answered(runner, lambda: client.status(name), name)
        while (line := _read_line(person)) is not None:
            if not line.strip():
                continue
            said = partial(_say, client, name, line)
            try:
                answered(runner, said, name)
            except MessageFailed as error:
                complain(f"{name} could not handle this: {error}")
                failed = True
    if failed and not person:
        raise typer.Exit(1)


def _read_line(person: bool) -> str | None:
    if not person:
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None
    try:
        return input("you> ")
    except EOFError:
        typer.echo("")
        return None


async def _say(client: AosClient, name: str, line: str) -> None:
    from aos.message import Reply

    writer = Typewriter()
    typer.echo(f"{name}> ", nl=False)
    async for part in client.ask_streaming(name, line):
        if isinstance(part, Reply):
            whole = await client.text(part.ref) if part.ref else part.text
            _write(writer.end(whole or part.error))
        else:
            _write(writer.go_on(part.text, part.length))
    typer.echo("")


def _write(text: str) -> None:
    typer.echo(plain(text), nl=False)
    sys.stdout.flush()
