"""Where the Temporal binary comes from, and what is tried next when a source does not serve."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aos.errors import SetupError
from aos_workers.temporal import binary, download, gobuild
from aos_workers.temporal.binary import find_temporal, parse_version
from aos_workers.temporal.unavailable import Unavailable

OLD = "temporal version 1.4.9 (Server 1.28.0, UI 2.39.0)"
RECENT = "temporal version 1.5.0 (Server 1.29.0, UI 2.41.0)"
BUILDS = """
case "$1 $2" in
"env GOVERSION") echo go{version} ;;
"env "*) echo {cache} ;;
"build "*) while [ "$1" != -o ]; do shift; done; sleep {seconds}; echo built >> {log}; cp {program} "$2" ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of PATH, apart from the shell's own few programs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("cp", "sh", "sleep"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """The download host cannot be reached."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    def refused(address: tuple[str, int], timeout: float) -> socket.socket:
        raise ConnectionRefusedError(address)

    monkeypatch.setattr(socket, "create_connection", refused)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port of this machine that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return path


def temporal(path: Path, says: str) -> Path:
    return program(path, f'echo "{says}"\n')


def go(programs: Path, cache: Path, version: str = "1.25.3", seconds: float = 0) -> Path:
    """Put a `go` on PATH that "builds" a recent temporal. Return its log: one line a build."""
    log = programs / "builds"
    product = temporal(programs / "product", RECENT)
    script = BUILDS.format(version=version, cache=cache, seconds=seconds, log=log, program=product)
    program(programs / "go", script)
    return log


def ignore(line: str) -> None:
    """Take a line of progress."""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)", (1, 5, 1)),
        ("temporal version v1.10.0", (1, 10, 0)),
        ("temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)", (0, 0, 0)),
        ("no such thing", None),
    ],
)
def test_a_version_is_read_from_what_the_binary_prints(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == version


def test_a_recent_temporal_on_path_is_taken_first(programs: Path, cache: Path) -> None:
    found = temporal(programs / "temporal", RECENT)
    temporal(gobuild.target(cache), RECENT)

    assert find_temporal(cache, ignore) == found


def test_what_was_built_before_is_taken_when_the_one_on_path_is_old(programs: Path, cache: Path) -> None:
    temporal(programs / "temporal", OLD)
    earlier = temporal(gobuild.target(cache), RECENT)

    assert find_temporal(cache, ignore) == earlier


def test_a_temporal_that_does_not_answer_is_passed_over(
    programs: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binary, "VERSION_SECONDS", 0.2)
    program(programs / "temporal", "exec sleep 30\n")
    earlier = temporal(download.target(cache), RECENT)

    assert find_temporal(cache, ignore) == earlier


@pytest.mark.usefixtures("no_download")
def test_go_builds_it_where_nothing_can_be_downloaded(programs: Path, cache: Path) -> None:
    log = go(programs, cache)
    lines: list[str] = []

    assert find_temporal(cache, lines.append) == gobuild.target(cache)
    assert find_temporal(cache, lines.append) == gobuild.target(cache)
    assert log.read_text() == "built\n"
    assert "four minutes" in lines[0]


def test_of_two_that_build_at_once_one_does_and_the_other_says_that_it_waits(
    programs: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = go(programs, cache, seconds=0.5)
    monkeypatch.setattr(gobuild, "_WAIT_SECONDS", 0.05)
    lines: list[str] = []

    def build() -> None:
        gobuild.build(gobuild.CLI, gobuild.target(cache), lines.append)

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert log.read_text() == "built\n"
    assert any(line.startswith("waiting for process") for line in lines)


def test_a_long_build_is_seen_to_go_on(programs: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go(programs, cache, seconds=0.5)
    monkeypatch.setattr(gobuild, "_REPORT_SECONDS", 0.1)
    lines: list[str] = []

    gobuild.build(gobuild.CLI, gobuild.target(cache), lines.append)

    assert sum(line.startswith("building: ") for line in lines) >= 2


def test_a_build_that_fails_says_what_go_said_and_leaves_nothing(programs: Path, cache: Path) -> None:
    program(programs / "go", 'case "$1" in env) echo go1.26.0 ;; build) echo "no route" >&2; exit 1 ;; esac\n')

    with pytest.raises(Unavailable, match="failed: no route"):
        gobuild.build(gobuild.CLI, gobuild.target(cache), ignore)
    assert not gobuild.target(cache).exists()


def test_go_without_caches_of_its_own_is_given_some(programs: Path, cache: Path, tmp_path: Path) -> None:
    """As Go is where HOME is not set."""
    seen = tmp_path / "seen"
    product = temporal(programs / "product", RECENT)
    build = f'while [ "$1" != -o ]; do shift; done; echo "$GOCACHE $GOMODCACHE" > {seen}; cp {product} "$2"'
    program(
        programs / "go", f'case "$1 $2" in "env GOVERSION") echo go1.26.0 ;; env*) echo off ;; *) {build} ;; esac\n'
    )

    gobuild.build(gobuild.CLI, gobuild.target(cache), ignore)

    assert seen.read_text() == f"{cache / 'gocache'} {cache / 'gomodcache'}\n"


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_other_pins_are_built_to_another_file(
    programs: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    log = go(programs, cache)
    before = gobuild.target(cache)
    gobuild.build(gobuild.CLI, before, ignore)
    pins = tmp_path / "pins"
    shutil.copytree(gobuild.MODULE, pins)
    monkeypatch.setattr(gobuild, "MODULE", pins)
    assert gobuild.target(cache) == before
    with (pins / file).open("a") as changed:
        changed.write("// another module\n")

    gobuild.build(gobuild.CLI, gobuild.target(cache), ignore)

    assert gobuild.target(cache) != before
    assert log.read_text() == "built\nbuilt\n"


@pytest.mark.usefixtures("no_download")
def test_an_old_go_does_not_build(programs: Path, cache: Path) -> None:
    go(programs, cache, version="1.22.0")

    with pytest.raises(SetupError, match=r"has version go1\.22\.0"):
        find_temporal(cache, ignore)


@pytest.mark.usefixtures("no_download")
def test_where_no_source_serves_one_sentence_says_why_and_names_the_ways_out(programs: Path, cache: Path) -> None:
    temporal(programs / "temporal", OLD)

    with pytest.raises(SetupError) as refused:
        find_temporal(cache, ignore)

    said = str(refused.value)
    assert "\n" not in said
    for part in ("has version 1.4.9", "temporal.download does not answer", "`go` is not on PATH"):
        assert part in said
    for way_out in ("`temporal` 1.5.0 or newer on PATH", "install Go 1.25.0", "TEMPORAL_ADDRESS"):
        assert way_out in said


def test_a_download_host_that_says_nothing_is_given_up_within_seconds(
    silent: int, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.setattr(download, "ANSWER_SECONDS", 0.5)
    started = time.monotonic()

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 does not answer"):
        download.download(cache, ignore, address=("127.0.0.1", silent))
    assert time.monotonic() - started < 3


def test_a_download_that_stands_still_behind_a_proxy_is_given_up(
    silent: int, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{silent}")

    with pytest.raises(Unavailable, match="stood still"):
        download.download(cache, ignore, stall_seconds=3)


def test_a_proxy_that_refuses_ends_the_download(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed}")

    with pytest.raises(Unavailable, match="failed"):
        download.download(cache, ignore, stall_seconds=15)
