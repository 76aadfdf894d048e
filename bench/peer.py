"""The peers: other systems, each a script with an environment of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Sample

ROOT = Path(__file__).parents[1]
_FOLDER = Path(__file__).parent / "peers"
_SCRIPT_HEADER = re.compile(r"^# /// script\n((?:#.*\n)+?)# ///$", re.MULTILINE)

_UNAVAILABLE, _NOT_FOR_IT = 3, 4
_INSTALL_SECONDS, _RUN_SECONDS = 300.0, 300.0


class PeerFailed(Exception):
    """A peer did not finish."""


class PeerUnavailable(PeerFailed):
    """A peer could not be installed or started, and will not be the next time."""


@dataclass(frozen=True)
class PeerRun:
    """One run of the peers of a case. `only` names who takes part; empty: all."""

    arguments: tuple[str, ...]
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Peer:
    """A script in `bench/peers`."""

    script: Path

    @property
    def name(self) -> str:
        """Its name in the report."""
        return self.script.stem

    @property
    def dependencies(self) -> list[str]:
        """The packages that it is made of."""
        found = _SCRIPT_HEADER.search(self.script.read_text())
        header = "\n".join(line.removeprefix("#").removeprefix(" ") for line in found[1].splitlines()) if found else ""
        return list(tomllib.loads(header).get("dependencies", []))

    async def install(self) -> None:
        """Make its environment.

        Raises:
            PeerUnavailable: It cannot be made; the message says why.
        """
        try:
            await _run(
                [_uv(), "sync", "--quiet", "--script", str(self.script)], _INSTALL_SECONDS, "cannot be installed"
            )
        except PeerFailed as failure:
            raise PeerUnavailable(str(failure)) from None

    async def run(self, run: PeerRun, servers: Sequence[str] = ()) -> list[Sample]:
        """Return the samples of one run, none where the case is not for it. `servers` are the arguments that name them.

        Raises:
            PeerUnavailable: It could not be started; the message says why.
            PeerFailed: It did not finish.
        """
        command = [_uv(), "run", "--quiet", "--script", str(self.script), *run.arguments, *servers]
        printed = await _run(command, _RUN_SECONDS, "ended early")
        return [Sample(**json.loads(line)) for line in printed.splitlines() if line.startswith("{")]


def all_peers() -> list[Peer]:
    """Return the peers that there are, by name."""
    return [Peer(script) for script in sorted(_FOLDER.glob("[a-z]*.py"))]


def _uv() -> str:
    found = shutil.which("uv") or shutil.which("uv", path=ROOT / ".uv/bin")
    if found is None:
        raise PeerUnavailable("uv is neither on PATH nor in .uv/bin")
    return found


async def _run(command: list[str], seconds: float, how: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        printed, said = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        raise PeerFailed(f"{how}: took more than {seconds:g} s") from None
    finally:
        if process.returncode is None:
            # With all that it has started: uv alone would leave the peer and its servers behind.
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode == _NOT_FOR_IT:
        return ""
    if process.returncode:
        last = next((line for line in reversed(said.decode(errors="replace").splitlines()) if line.strip()), "")
        if process.returncode == _UNAVAILABLE:
            raise PeerUnavailable(last)
        raise PeerFailed(f"{how} ({process.returncode}): {last}")
    return printed.decode()
