"""`aos-worker`: one worker process, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import atexit
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from aos.app import App, installed_apps, load_app
from aos.errors import AosError
from aos_workers.home import Home
from aos_workers.logs import set_up_logs
from aos_workers.ready import READY
from aos_workers.settings import Settings, load_settings
from aos_workers.starting import connect_in_time
from aos_workers.telemetry import telemetry
from aos_workers.worker import make_parts, running_workers

_log = structlog.get_logger(__name__)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a worker; the exit code is 1 with one line on standard error where it cannot be set up."""
    options = _parser().parse_args(arguments)
    # As the interpreter ends it looks for garbage, several times, through all that lives: half a second of an end.
    atexit.register(gc.freeze)
    try:
        settings = load_settings(home=options.home, offline=options.offline or None)
        set_up_logs(settings.log_level)
        apps = [load_app(name) for name in options.app or installed_apps()]
        asyncio.run(serve(settings, apps, address=options.address))
    except asyncio.CancelledError:
        return
    except AosError as error:
        sys.stderr.write(f"aos-worker: {error}\n")
        raise SystemExit(1) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aos-worker", description="Serve agents, model calls and tools. Settings come from the environment."
    )
    parser.add_argument("app", nargs="*", help="application to serve, as MODULE:ATTRIBUTE; default: the installed ones")
    parser.add_argument("--home", type=Path, help="folder of the blob store and the logs (AOS_HOME)")
    parser.add_argument("--address", help="Temporal server (TEMPORAL_ADDRESS)")
    parser.add_argument("--offline", action="store_true", help="serve no model but the offline one (AOS_OFFLINE)")
    return parser


async def serve(settings: Settings, apps: Sequence[App], *, address: str | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then take nothing new and finish what runs.

    Raises:
        asyncio.CancelledError: The signal came before the worker served.
    """
    stop, starting = asyncio.Event(), asyncio.current_task()
    assert starting is not None
    _on_signals(starting.cancel)
    home = Home(settings.home)
    home.path.mkdir(parents=True, exist_ok=True)
    with telemetry(settings) as plugins:
        client = await connect_in_time(address, plugins)
        parts = make_parts(settings, home)
        async with running_workers(client, settings, parts, apps):
            _on_signals(stop.set)
            _log.info(READY, models=list(parts.registry.default), apps=[app.name for app in apps])
            await stop.wait()
            _log.info("worker_draining")


def _on_signals(do: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, do)
