"""Finding a `temporal` binary that can run the dev server."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from aos.errors import SetupError
from aos_workers.temporal import download, gobuild
from aos_workers.temporal.unavailable import Unavailable

Report = Callable[[str], None]

OLDEST = (1, 5, 0)
"""Oldest version of the Temporal CLI that serves."""

VERSION_SECONDS = 10.0
"""How long a binary may take to tell its version."""

_VERSION = re.compile(r"\bversion v?(\d+)\.(\d+)\.(\d+)")


def find_temporal(cache: Path, report: Report) -> Path:
    """Return a binary of the Temporal CLI: the one on PATH, one in `cache`, or one downloaded or built into `cache`.

    `report` is given progress, one line at a time. Blocks, for minutes if it has to build.

    Raises:
        SetupError: No source serves; the message says why each does not, and names the ways out.
    """
    reasons: list[str] = []
    for source in (on_path, in_cache, downloaded, built):
        try:
            return source(cache, report)
        except Unavailable as reason:
            reasons.append(str(reason))
    raise SetupError(
        f"no Temporal server can be had here ({'; '.join(reasons)}): "
        f"put `temporal` {_dotted(OLDEST)} or newer on PATH, let {download.HOST} be reached, "
        f"install Go {_dotted(gobuild.required_go())} or newer, "
        "or set TEMPORAL_ADDRESS to a server that runs elsewhere"
    )


def on_path(cache: Path, report: Report) -> Path:
    """Return the `temporal` on PATH, if it is recent enough."""
    found = shutil.which("temporal")
    if found is None:
        raise Unavailable("`temporal` is not on PATH")
    return _recent_enough(Path(found))


def in_cache(cache: Path, report: Report) -> Path:
    """Return what an earlier call downloaded or built."""
    for path in (download.target(cache), gobuild.target(cache)):
        if path.exists():
            return _recent_enough(path)
    raise Unavailable(f"{cache} holds none")


def downloaded(cache: Path, report: Report) -> Path:
    """Return the binary that the Temporal SDK for Python downloads for itself."""
    return _recent_enough(download.download(cache, report))


def built(cache: Path, report: Report) -> Path:
    """Return a binary built with Go from the pinned module file."""
    return _recent_enough(gobuild.build(gobuild.CLI, gobuild.target(cache), report))


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Return the version in what `temporal --version` prints, None if there is none."""
    match = _VERSION.search(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _recent_enough(path: Path) -> Path:
    try:
        said = subprocess.run(  # noqa: S603 - a program that the user has, or that we made
            [path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=VERSION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{path} does not tell its version ({error})") from error
    version = parse_version(said.stdout)
    if version is None:
        raise Unavailable(f"{path} does not tell its version")
    if version < OLDEST:
        raise Unavailable(f"{path} has version {_dotted(version)}")
    return path


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
