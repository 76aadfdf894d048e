"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from aos.cli.connecting import living_names

Format = Literal["text", "json", "jsonl"]


def _complete_name(ctx: typer.Context, incomplete: str) -> list[str]:
    return [name for name in living_names(ctx) if name.startswith(incomplete)]


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The agent's name.", autocompletion=_complete_name, show_default=False)
]
Output = Annotated[
    Format, typer.Option("--output", "-o", help="For people, as one JSON document, or as one JSON object a line.")
]


def example(*lines: str) -> str:
    """Return the end of a command's help that shows how it is typed."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)
