"""Running AOS on this machine: `up`, `demo` and `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aos.cli.connecting import target
from aos.cli.options import Output, example
from aos.cli.output import emit, say
from aos.errors import InvalidInput

app = typer.Typer()

Home = Annotated[Path | None, typer.Option(help="Folder of the database, the blobs and the logs. Default: AOS_HOME.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the Temporal server.")]
UiPort = Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the Web UI.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use no model but the offline one, which needs no key.")]


@app.command(epilog=example("aos up", "aos up shop.agents:app --agents agents/ada.yaml"))
def up(
    ctx: typer.Context,
    application: Annotated[
        str | None, typer.Argument(metavar="APP", help="Application to serve too, as MODULE:ATTRIBUTE.")
    ] = None,
    agents: Annotated[list[Path] | None, typer.Option(help="YAML file or folder of agents to start.")] = None,
    home: Home = None,
    port: Port = None,
    ui_port: UiPort = None,
    offline: Offline = False,
) -> None:
    """Run a server and workers here, until Ctrl-C."""
    _without_target(ctx)
    from aos_workers.up import up

    up(home=home, port=port, ui_port=ui_port, offline=offline, app=application, agents=agents or [], report=say)


@app.command(epilog=example("aos demo", "aos demo report.md minutes.txt --offline"))
def demo(
    ctx: typer.Context,
    documents: Annotated[
        list[Path] | None, typer.Argument(help="Texts to read. Default: the ones that come with AOS.")
    ] = None,
    home: Home = None,
    port: Port = None,
    ui_port: UiPort = None,
    offline: Offline = False,
) -> None:
    """See an agent read, survive a crash, and answer; then a team.

    The agent reads documents, goes on where it was when its worker is killed, and answers questions on what it read.
    The team finds answers in the same documents, writes them up and checks them.
    """
    _without_target(ctx)
    from aos_workers.demo import demo

    code = demo(documents=documents or [], home=home, port=port, ui_port=ui_port, offline=offline, report=say)
    raise typer.Exit(code)


@app.command(epilog=example("aos doctor", "aos doctor -o json"))
def doctor(ctx: typer.Context, home: Home = None, output: Output = "text") -> None:
    """Name what is wrong here, and how to mend it."""
    _without_target(ctx)
    from dataclasses import asdict

    from aos_workers.doctor import examine

    findings = examine(home=home)

    def text() -> None:
        from rich.console import Console
        from rich.text import Text

        shown = Console(highlight=False, soft_wrap=True)
        for finding in findings:
            mark, colour = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}[finding.level]
            shown.print(Text(f"{mark} ", style=colour) + Text(finding.what))
            if finding.remedy:
                shown.print(Text(f"  → {finding.remedy}", style="bold"))

    emit(output, [asdict(finding) for finding in findings], text)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


def _without_target(ctx: typer.Context) -> None:
    if any(target(ctx)):
        raise InvalidInput(
            "--address and --namespace",
            ["they are for commands that talk to agents; this one takes TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE"],
        )
