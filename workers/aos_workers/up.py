"""`aos up`: a whole AOS on one machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from aos.app import load_app
from aos.client import AosClient
from aos.errors import AgentExists
from aos.manifest import load_agents
from aos.spec import AgentSpec
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
    """Run a server and a worker, start the agents given and those of the application, and stay until Ctrl-C.

    Raises:
        SetupError: Something cannot be started.
        InvalidInput: An agent's file is wrong.
    """
    settings = load_settings(home=home, offline=offline or None)
    specs = [spec for path in agents for spec in load_agents(path)]
    if app:
        specs.extend(load_app(app).agents)
    asyncio.run(_stay(settings, [app] if app else [], specs, port, ui_port, report))


async def _stay(
    settings: Settings,
    apps: list[str],
    specs: Sequence[AgentSpec],
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


async def _start_all(local: Local, specs: Sequence[AgentSpec], report: Callable[[str], None]) -> None:
    client = await AosClient.connect(local.address)
    for spec in specs:
        try:
            await client.start(spec)
            report(f"agent {spec.name} is alive")
        except AgentExists:
            report(f"agent {spec.name} lives on")
