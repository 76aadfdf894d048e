"""Steering agents: `start`, `configure`, `pause`, `resume` and `stop`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aos.cli.birth import start_all
from aos.cli.connecting import run
from aos.cli.options import Name, Output, example
from aos.cli.output import complain, emit, say
from aos.cli.wording import counted, total
from aos.errors import InvalidInput

if TYPE_CHECKING:
    from aos.spec import AgentSpec
    from aos.team_spec import TeamSpec

app = typer.Typer()

Texts = list[str] | None


@app.command(
    epilog=example(
        "aos start agents/ada.yaml",
        "aos start ada --purpose 'Watch the harbour.' --model openai:gpt-4o-mini",
    )
)
def start(
    ctx: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="FILE|NAME", help="A YAML file, a folder of them, or a name.")],
    purpose: Annotated[str, typer.Option(help="Why the agent exists.")] = "",
    instructions: Annotated[str, typer.Option(help="How it does its work.")] = "",
    model: Annotated[Texts, typer.Option(help="PROVIDER:MODEL; given again, to fall back on.")] = None,
    tool: Annotated[Texts, typer.Option(help="A tool it may use; may be given again.")] = None,
    permission: Annotated[Texts, typer.Option(help="A permission it has; may be given again.")] = None,
    output: Output = "text",
) -> None:
    """Start an agent, or all agents and teams in a file or folder."""
    fields = {
        "purpose": purpose,
        "instructions": instructions,
        "model": model,
        "tools": tool,
        "permissions": permission,
    }
    specs = _specs(agent, {field: value for field, value in fields.items() if value})
    births = run(ctx, lambda client: start_all(client, specs), doing="starting")
    alive = [birth.spec for birth in births if not birth.error]
    if alive:
        emit(output, alive[0] if len(specs) == 1 else alive, lambda: None, lines=alive)
    for birth in births:
        if birth.error:
            complain(str(birth.error))
        elif output == "text":
            how = "alive" if birth.taken_up else "started, and waits for a worker: see `aos doctor`"
            say(f"{birth.spec.name} is {how}")
    errors = [birth.error for birth in births if birth.error]
    if errors:
        raise typer.Exit(2 if isinstance(errors[0], InvalidInput) else 1)


def _specs(agent: str, fields: dict[str, object]) -> Sequence[AgentSpec | TeamSpec]:
    from aos.manifest import SUFFIXES, load_specs
    from aos.reading import read_object
    from aos.spec import AgentSpec

    path = Path(agent)
    if path.suffix not in SUFFIXES and "/" not in agent and not path.is_dir():
        return [read_object(AgentSpec, f"agent {agent!r}", {"name": agent, **fields})]
    if fields:
        raise InvalidInput(agent, ["a file says all about its agents; the options go with a name"])
    return load_specs(path)


@app.command(
    epilog=example("aos configure ada max_steps=10 'tools=[current_time]'", "aos configure ada --file changes.yaml")
)
def configure(
    ctx: typer.Context,
    name: Name,
    change: Annotated[Texts, typer.Argument(metavar="FIELD=VALUE", help="Field, and its new value as YAML.")] = None,
    file: Annotated[Path | None, typer.Option(help="YAML file with the fields to change.")] = None,
    output: Output = "text",
) -> None:
    """Change fields of an agent's spec while it lives."""
    from aos.manifest import load_changes, read_setting

    changes = {**(load_changes(file) if file else {}), **dict(read_setting(one) for one in change or [])}
    spec = run(ctx, lambda client: client.configure(name, changes), about=name, doing=f"configuring {name}")
    emit(output, spec, lambda: say(f"{name} has a new {', '.join(changes)}"))


@app.command(epilog=example("aos pause ada"))
def pause(ctx: typer.Context, name: Name, output: Output = "text") -> None:
    """Have an agent take no more steps; what it is told waits."""
    run(ctx, lambda client: client.pause(name), about=name)
    emit(output, {"name": name, "paused": True}, lambda: say(f"{name} pauses after the step under way"))


@app.command(epilog=example("aos resume ada"))
def resume(ctx: typer.Context, name: Name, output: Output = "text") -> None:
    """Have a paused agent go on."""
    run(ctx, lambda client: client.resume(name), about=name)
    emit(output, {"name": name, "paused": False}, lambda: say(f"{name} goes on"))


@app.command(epilog=example("aos stop ada --reason 'The season is over.'"))
def stop(
    ctx: typer.Context,
    name: Name,
    now: Annotated[bool, typer.Option("--now", help="Do not let the turn under way end first.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "stopped on request",
    output: Output = "text",
) -> None:
    """End an agent for good and write what it leaves behind."""
    from aos.control import Stop
    from aos.reading import read_object

    how = read_object(Stop, "stop", {"when": "now" if now else "turn", "reason": reason})
    farewell = run(ctx, lambda client: client.stop(name, how), about=name, doing=f"{name} ends what it is doing")

    def text() -> None:
        left = counted(len(farewell.undelivered), "message")
        say(f"{name} is stopped: {farewell.handled} handled, {farewell.failed} failed, {total(farewell.spend)} spent")
        if farewell.undelivered:
            say(f"{left} not handled: {', '.join(farewell.undelivered)}")

    emit(output, farewell, text)
