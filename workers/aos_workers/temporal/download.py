"""Having the Temporal SDK for Python download the CLI that it is pinned to."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import temporalio.service
from temporalio.testing import WorkflowEnvironment

from aos_workers.temporal.unavailable import Unavailable

HOST = "temporal.download"
"""The host that the SDK downloads from."""

ANSWER_SECONDS = 3.0
"""How long the host may take to answer before the download is given up."""

STALL_SECONDS = 20.0
"""How long a download may stand still before it is given up."""

_TICK_SECONDS = 1.0


def target(cache: Path) -> Path:
    """Return where the SDK leaves its download in `cache`."""
    return cache / f"temporal-sdk-python-{temporalio.service.__version__}"


def download(
    cache: Path,
    report: Callable[[str], None],
    *,
    address: tuple[str, int] = (HOST, 443),
    stall_seconds: float = STALL_SECONDS,
) -> Path:
    """Return the binary that the SDK downloaded into `cache`.

    Behind an HTTPS proxy the host itself is not tried first, because only the proxy can reach it.

    Raises:
        Unavailable: The host does not answer, or the download fails or stands still.
    """
    if not urllib.request.getproxies().keys() & {"https", "all"} and not _answers(address):
        raise Unavailable(f"{address[0]} does not answer")
    report(f"downloading Temporal from {HOST}")
    cache.mkdir(parents=True, exist_ok=True)
    binary = target(cache)
    # A process of its own, because a download inside the SDK cannot be cut short.
    child = subprocess.Popen(  # noqa: S603 - this very module
        [sys.executable, "-m", __spec__.name, str(cache)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        stalled = _watch(child, binary, stall_seconds, report)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if binary.exists():
        return binary
    _partial(binary).unlink(missing_ok=True)
    raise Unavailable(f"the download from {HOST} {'stood still' if stalled else 'failed'}")


def _watch(child: subprocess.Popen[bytes], binary: Path, stall_seconds: float, report: Callable[[str], None]) -> bool:
    """Wait for the binary or for the child's end; True if the download stood still instead."""
    size = 0
    grown = time.monotonic()
    while not binary.exists():
        try:
            child.wait(_TICK_SECONDS)
            return False
        except subprocess.TimeoutExpired:
            pass
        partial = _partial(binary)
        now = partial.stat().st_size if partial.exists() else 0
        if now > size:
            size, grown = now, time.monotonic()
            report(f"downloading Temporal: {size / 1e6:.0f} MB")
        elif time.monotonic() - grown > stall_seconds:
            return True
    return False


def _partial(binary: Path) -> Path:
    return binary.with_name(binary.name + ".downloading")


def _answers(address: tuple[str, int]) -> bool:
    """Whether a TLS server answers at `address` in time. Looking a name up cannot be timed out, so a thread does it."""
    answered = threading.Event()

    def greet() -> None:
        try:
            with (
                socket.create_connection(address, ANSWER_SECONDS) as connection,
                ssl.create_default_context().wrap_socket(connection, server_hostname=address[0]),
            ):
                answered.set()
        except OSError:
            pass

    thread = threading.Thread(target=greet, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    return answered.is_set()


async def _main(cache: str) -> None:
    # The SDK has no call for the download alone.
    environment = await WorkflowEnvironment.start_local(download_dest_dir=cache)  # pyright: ignore[reportUnknownMemberType] - its search attributes are generic
    await environment.shutdown()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
