"""`aos up`: a whole AOS on one machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from aos.app import load_app
from aos.client import AosClient
from aos.errors import AgentExists
from aos.manifest import load_specs
from aos.spec import AgentSpec
from aos.team_spec import TeamSpec
from aos_workers.local import Local, local_aos
from aos_workers.settings import Settings, load_settings


def up(
    *,
    home: Path | None,
    port: int | None,
    ui_port: int | None,
    offline: bool,
    app: str | None,
    agents: Sequence[Path],
    report: Callable[[str], None],
) -> None:
    """Run a server and a worker, start the agents and teams given and those of the application, and stay until Ctrl-C.

    Raises:
        SetupError: Something cannot be started.
        InvalidInput: A file of agents or teams is wrong.
    """
    settings = load_settings(home=home, offline=offline or None)
    specs = [spec for path in agents for spec in load_specs(path)]
    if app:
        served = load_app(app)
        specs.extend([*served.agents, *served.teams])
    asyncio.run(_stay(settings, [app] if app else [], specs, port, ui_port, report))


async def _stay(
    settings: Settings,
    apps: list[str],
    specs: Sequence[AgentSpec | TeamSpec],
    port: int | None,
    ui_port: int | None,
    report: Callable[[str], None],
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with local_aos(settings, apps, port=port, ui_port=ui_port, report=report) as local:
        await _start_all(local, specs, report)
        report("AOS is up; Ctrl-C ends it, and what lives goes on at the next `aos up`")
        await stop.wait()
        report("stopping")


async def _start_all(local: Local, specs: Sequence[AgentSpec | TeamSpec], report: Callable[[str], None]) -> None:
    client = await AosClient.connect(local.address)
    # Teams come last: their members may be among the agents.
    for spec in sorted(specs, key=lambda spec: isinstance(spec, TeamSpec)):
        kind = "team" if isinstance(spec, TeamSpec) else "agent"
        try:
            await (client.teams.start(spec) if isinstance(spec, TeamSpec) else client.start(spec))
            report(f"{kind} {spec.name} is alive")
        except AgentExists:
            report(f"{kind} {spec.name} lives on")
