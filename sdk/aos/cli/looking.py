"""Looking at one agent: `status`, `inbox`, `dead-letters` and `spec`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aos.cli.connecting import run
from aos.cli.options import Name, Output, Who, example
from aos.cli.output import console, emit, plain, say
from aos.cli.wording import age, counted, money
from aos.errors import InvalidInput

if TYPE_CHECKING:
    from aos.views import AgentStatus, DeadLetters, InboxView

app = typer.Typer()


@app.command(epilog=example("aos status ada"))
def status(ctx: typer.Context, name: Name, output: Output = "text") -> None:
    """Show how an agent is, and what it cost."""
    found = run(ctx, lambda client: client.status(name), about=name)
    emit(output, found, lambda: _show_status(found))


@app.command(epilog=example("aos inbox ada", "aos inbox ada -o jsonl"))
def inbox(ctx: typer.Context, name: Name, output: Output = "text") -> None:
    """List what waits for an agent, the most urgent first."""
    found = run(ctx, lambda client: client.inbox(name), about=name)
    emit(output, found, lambda: _show_inbox(name, found), lines=found.entries)


@app.command(
    epilog=example(
        "aos dead-letters ada", "aos dead-letters ada question-7 --replay", "aos dead-letters ada --drop --all"
    )
)
def dead_letters(
    ctx: typer.Context,
    name: Who,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Those meant by --replay or --drop.")] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Have it take them in once more.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Have it forget them.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="All of them, with --replay or --drop.")] = False,
    output: Output = "text",
) -> None:
    """List what could not be handled, replay it or drop it."""
    if replay or drop:
        if replay and drop:
            raise InvalidInput("dead-letters", ["give either --replay or --drop"])
        _settle(ctx, name, {"ids": ids or [], "all": all_}, replay=replay, output=output)
        return
    if ids or all_:
        raise InvalidInput("dead-letters", ["say what is to be done with them: --replay or --drop"])
    found = run(ctx, lambda client: client.dead_letters(name), about=name)
    emit(output, found, lambda: _show_dead_letters(name, found), lines=found.letters)


def _settle(ctx: typer.Context, name: str, given: dict[str, object], *, replay: bool, output: str) -> None:
    from aos.control import Letters
    from aos.reading import read_object

    letters = read_object(Letters, "dead-letters", given)
    settled = run(
        ctx,
        lambda client: client.replay_letters(name, letters) if replay else client.drop_letters(name, letters),
        about=name,
    )

    def text() -> None:
        for letter, new in settled.done.items():
            say(f"{letter} is taken in again as {new}" if new else f"{letter} is dropped")
        for letter, why in settled.left.items():
            say(f"{letter} stays: {why}")
        if not settled.done and not settled.left:
            say(f"{name} has no dead letters")

    emit(output, settled, text)


@app.command(epilog=example("aos spec ada > agents/ada.yaml"))
def spec(ctx: typer.Context, name: Name, output: Output = "text") -> None:
    """Show an agent's spec as YAML for `aos start`."""
    found = run(ctx, lambda client: client.spec(name), about=name)

    def text() -> None:
        from aos.manifest import as_yaml

        say(as_yaml(found))

    emit(output, found, text)


def _show_status(status: AgentStatus) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    rows = {
        "doing": status.doing,
        "purpose": status.purpose,
        "model": ", ".join(status.model) or "the workers' default",
        "messages": f"{status.waiting} waiting, {status.handled} handled, {status.failed} failed",
        "dead letters": str(status.dead_letters or ""),
        "life": f"began {age(status.started)}, {counted(status.turns, 'turn')}, {status.rollovers} rollovers",
        "next tick": age(status.next_tick) if status.next_tick else "",
        "context": f"about {counted(status.context_tokens, 'token')}",
    }
    for spend in status.spend:
        tokens = f"{spend.input_tokens:,} tokens in, {spend.output_tokens:,} out"
        rows[f"spent on {spend.model}"] = f"{money(spend.cost)}: {counted(spend.calls, 'call')}, {tokens}"
    for label, value in rows.items():
        if value:
            table.add_row(label, plain(value))
    say(f"{status.name} is {status.condition}")
    console().print(table)


def _show_inbox(name: str, inbox: InboxView) -> None:
    from rich.table import Table

    if not inbox.count:
        say(f"nothing waits for {name}")
        return
    table = Table("PRIORITY", "CAME", "SENDER", "MODE", "ID", "TEXT", box=None, pad_edge=False)
    for entry in inbox.entries:
        sender = plain(entry.sender) or "-"
        table.add_row(str(entry.priority), age(entry.at), sender, entry.mode, plain(entry.id), plain(entry.preview))
    console().print(table)
    if inbox.count > len(inbox.entries):
        say(f"and {inbox.count - len(inbox.entries)} more")


def _show_dead_letters(name: str, letters: DeadLetters) -> None:
    if not letters.count:
        say(f"{name} has no dead letters")
        return
    for letter in letters.letters:
        sender = f" from {letter.sender}" if letter.sender else ""
        say(f"{letter.id}{sender}, {age(letter.at)}, {letter.kind}: {letter.reason}")
        say(f"    {letter.text}")
    if letters.count > len(letters.letters):
        say(f"and {letters.count - len(letters.letters)} older ones")
