"""Building Temporal's programs with Go, from the versions and checksums pinned in `gomod/`."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from aos_workers.lock import FileLock
from aos_workers.temporal.unavailable import Unavailable

MODULE = Path(__file__).parent / "gomod"
"""Folder of the pinned module file and its checksums."""

CLI = "github.com/temporalio/cli/cmd/temporal"
"""The Temporal CLI, dev server included."""

SERVER = "go.temporal.io/server/cmd/server"
"""The server that production runs."""

SQL_TOOL = "go.temporal.io/server/cmd/tools/sql"
"""The tool that sets up the server's database."""

WEB_UI = "github.com/temporalio/ui-server/v2/cmd/server"
"""The Web UI by itself, as production runs it."""

_REPORT_SECONDS = 5.0
_WAIT_SECONDS = 1.0


def cli_version() -> str:
    """Return the pinned version of the Temporal CLI, such as `1.5.1`."""
    return _pinned(r"\bgithub\.com/temporalio/cli v(\S+)")


def required_go() -> tuple[int, ...]:
    """Return the oldest version of Go that can build."""
    return _version(_pinned(r"^go (\S+)"))


def target(cache: Path) -> Path:
    """Return where the CLI is built to in `cache`: a file of its own for every choice of modules."""
    return cache / f"temporal-{cli_version()}-{_digest()}"


def build(package: str, binary: Path, report: Callable[[str], None]) -> Path:
    """Build the program `package` to the file `binary`, unless it is there; of several processes, one builds.

    Raises:
        Unavailable: There is no Go, it is too old, or the build fails.
    """
    go = _go()
    binary.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(binary.with_name(binary.name + ".lock"))
    started = time.monotonic()
    while not lock.acquire():
        report(f"waiting for {lock.holder()}, which is building {binary.name}: {time.monotonic() - started:.0f} s")
        time.sleep(_WAIT_SECONDS)
    try:
        if not binary.exists():
            report(f"building {binary.name} with Go, once; from nothing it takes about four minutes on two cores")
            partial = binary.with_name(binary.name + ".partial")
            _compile(go, package, partial, report)
            partial.replace(binary)
            report(f"built {binary} in {time.monotonic() - started:.0f} s")
    finally:
        lock.close()
    return binary


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        raise Unavailable("`go` is not on PATH")
    said = _ask(go, "env", "GOVERSION")
    if _version(said.removeprefix("go")) < required_go():
        raise Unavailable(f"{go} has version {said or 'unknown'}")
    return go


def _compile(go: str, package: str, output: Path, report: Callable[[str], None]) -> None:
    flags = f"-s -w -X github.com/temporalio/cli/temporalcli.Version={cli_version()}"
    command = ["/usr/bin/env", "GOTOOLCHAIN=local", "GOWORK=off", *_caches(go, output.parent), go, "build", "-v"]
    command += ["-mod=readonly", "-trimpath", "-ldflags", flags, "-o", str(output), package]
    child = subprocess.Popen(  # noqa: S603 - the user's own Go
        command, cwd=MODULE, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    lines: deque[str] = deque(maxlen=8)
    counts = {"downloaded": 0, "compiled": 0}

    def read() -> None:
        assert child.stderr is not None
        with child.stderr:
            for line in child.stderr:
                lines.append(line.strip())
                counts["downloaded" if line.startswith("go: downloading") else "compiled"] += 1

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    started = time.monotonic()
    try:
        while child.poll() is None:
            try:
                child.wait(_REPORT_SECONDS)
            except subprocess.TimeoutExpired:
                report(
                    f"building: {time.monotonic() - started:.0f} s, {counts['downloaded']} modules downloaded, "
                    f"{counts['compiled']} packages compiled"
                )
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        reader.join()
    if child.returncode != 0:
        raise Unavailable(f"`go build {package}` failed: {' / '.join(lines)}")


def _caches(go: str, cache: Path) -> list[str]:
    """Return settings that put into `cache` those of Go's caches that it cannot write, as without a home folder."""
    caches = ("GOCACHE", "GOMODCACHE")
    return [f"{name}={cache / name.lower()}" for name in caches if not _writable(_ask(go, "env", name))]


def _writable(folder: str) -> bool:
    path = Path(folder)
    if not path.is_absolute():
        return False
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(path, os.W_OK)


def _ask(go: str, *question: str) -> str:
    command = ["/usr/bin/env", "GOTOOLCHAIN=local", go, *question]
    try:
        return subprocess.run(  # noqa: S603 - the user's own Go
            command, cwd=MODULE, capture_output=True, text=True, timeout=30
        ).stdout.strip()
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{go} does not answer") from error


def _pinned(pattern: str) -> str:
    match = re.search(pattern, (MODULE / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise ValueError(f"{MODULE / 'go.mod'} has no line that matches {pattern}")
    return match[1]


def _digest() -> str:
    """Return eight hex digits that change whenever a module's version or checksum does."""
    pins = [(MODULE / name).read_bytes() for name in ("go.mod", "go.sum")]
    return hashlib.sha256(b"".join(pins)).hexdigest()[:8]


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
