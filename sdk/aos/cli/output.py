"""What commands write: JSON to standard output, text that is safe on a terminal, errors to standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    Record = BaseModel | Mapping[str, object]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PIPE_WIDTH = 160


def emit(
    output: str, whole: Record | Sequence[Record], text: Callable[[], None], *, lines: Sequence[Record] | None = None
) -> None:
    """Write `whole` as JSON, or `lines` as JSON objects, or have `text` write what a person reads."""
    if output == "json":
        typer.echo(json.dumps(_data(whole), indent=2, ensure_ascii=False))
    elif output == "jsonl":
        if lines is None:
            lines = whole if isinstance(whole, Sequence) else [whole]
        for line in lines:
            typer.echo(json.dumps(_data(line), separators=(",", ":"), ensure_ascii=False))
    else:
        text()


def _data(value: Record | Sequence[Record]) -> object:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Sequence):
        return [_data(one) for one in value]
    return value.model_dump(mode="json")


def say(text: str) -> None:
    """Write a line to standard output, without what would steer the terminal."""
    typer.echo(plain(text))


def complain(*lines: str) -> None:
    """Write an error to standard error; lines after the first are part of the same error."""
    typer.echo("aos: " + "\n     ".join(plain(line) for line in lines), err=True)


def plain(text: str) -> str:
    """Return `text` without control characters other than tabs and line ends: a model may write anything."""
    return _CONTROL.sub("", text)


def console() -> Console:
    """Return a console on standard output; in a pipe it is wide, so that nothing is cut."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, markup=False, emoji=False)
