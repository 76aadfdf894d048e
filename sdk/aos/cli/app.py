"""The whole command: its groups of verbs, its global options, and its errors as one line each.

Importing this and what it imports stays cheap, for `aos --help` and completion: whatever needs Temporal, pydantic or
rich is imported by the functions that use it.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from aos.cli import chat, log, looking, memory, ps, reference, running, steering, talking, task, team, topic
from aos.cli.output import complain
from aos.errors import AosError, InvalidInput


class _Commands(TyperGroup):
    """Tells AOS's errors in a line; exit code 2 is the sender's mistake, 1 anything else."""

    def invoke(self, ctx: Any) -> Any:  # the type that typer wants here is private
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except InvalidInput as error:
            complain(*_lines(error))
            raise typer.Exit(2) from None
        except AosError as error:
            complain(str(error))
            raise typer.Exit(1) from None


def _lines(error: InvalidInput) -> list[str]:
    # An error that came from the server has its sentence only.
    problems: list[str] = getattr(error, "problems", [])
    return [f"{error.what}: {problems[0]}", *problems[1:]] if problems else [str(error)]


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nBegin with:\n  aos up                              a server and workers on this machine\n"
    "  aos start ada --purpose 'Answer.'   an agent\n  aos chat ada                        a talk with it\n"
    "  aos team start news.yaml            a team of agents\n"
    "  aos ask team/news 'Write.'          a task for it; `aos task` looks at it",
)
for group in (running, steering, talking, chat, ps, looking, log, reference):
    app.add_typer(group.app)
for named in (team, task, topic, memory):
    app.add_typer(named.app)


@app.callback()
def options(
    address: Annotated[
        str | None, typer.Option(help="Temporal server, HOST:PORT. Default: TEMPORAL_ADDRESS, or Temporal's profile.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(help="Temporal namespace. Default: TEMPORAL_NAMESPACE, or Temporal's profile.")
    ] = None,
) -> None:
    """AI agents that live for ever, alone and in teams, as Temporal workflows: run them, talk to them, look at them."""
