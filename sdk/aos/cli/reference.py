"""What can be looked up without a server: `schema` and `version`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from aos.cli.options import Output, example
from aos.cli.output import emit, say
from aos.errors import InvalidInput

app = typer.Typer()

_FOLDER = Path(__file__).parents[1] / "json_schemas"


def _names() -> list[str]:
    return sorted(file.stem for file in _FOLDER.glob("*.json"))


def _complete(incomplete: str) -> list[str]:
    return [name for name in _names() if name.startswith(incomplete)]


@app.command(epilog=example("aos schema", "aos schema agent > agent.schema.json"))
def schema(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Which; without, they are listed.", autocompletion=_complete)
    ] = None,
) -> None:
    """Write a JSON schema of what AOS reads or shows."""
    if name is None:
        for known in _names():
            described = json.loads((_FOLDER / f"{known}.json").read_text(encoding="utf-8")).get("description", "")
            say(f"{known:<16}{described.splitlines()[0] if described else ''}")
    elif name in _names():
        typer.echo((_FOLDER / f"{name}.json").read_text(encoding="utf-8"), nl=False)
    else:
        raise InvalidInput(f"schema {name!r}", [f"there is none; there are: {', '.join(_names())}"])


@app.command(epilog=example("aos version"))
def version(output: Output = "text") -> None:
    """Write the version."""
    import platform
    from importlib.metadata import version as version_of

    versions = {
        "aos": version_of("agent-operating-system"),
        "temporalio": version_of("temporalio"),
        "python": platform.python_version(),
    }
    emit(output, versions, lambda: say("aos {aos} (temporalio {temporalio}, Python {python})".format(**versions)))
