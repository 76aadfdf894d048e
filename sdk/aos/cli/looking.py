"""Looking at one agent: `status`, `inbox`, `dead-letters` and `spec`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from aos.cli.connecting import run
from aos.cli.options import Name, Output, example
from aos.cli.output import console, emit, plain, say
from aos.cli.wording import age, counted, money

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


@app.command(epilog=example("aos dead-letters ada"))
def dead_letters(ctx: typer.Context, name: Name, output: Output = "text") -> None:
    """List what an agent could not handle, and why."""
    found = run(ctx, lambda client: client.dead_letters(name), about=name)
    emit(output, found, lambda: _show_dead_letters(name, found), lines=found.letters)


@app.command(epilog=example("aos spec ada > agents/ada.yaml"))
def spec(ctx: typer.Context, name: Name, output: Output = "text") -> None:
    """Show an agent's spec as YAML for `aos start`."""
    found = run(ctx, lambda client: client.spec(name), about=name)

    def text() -> None:
        import yaml

        fields = found.model_dump(mode="json", exclude_defaults=True)
        say(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100).rstrip())

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
