"""One home serves one AOS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aos.errors import SetupError
from aos_workers.home import Home

HOLDER = """
import sys, pathlib
from aos_workers.home import Home
with Home(pathlib.Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(home: Path) -> subprocess.Popen[str]:
    """Start a process that holds the home until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_home_in_use_is_refused_and_its_holder_named(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        with pytest.raises(SetupError, match=rf"in use by process {holder.pid}\b"), Home(tmp_path).lock():
            pass
        holder.kill()


def test_two_homes_are_held_at_once(tmp_path: Path) -> None:
    with Home(tmp_path / "a").lock(), Home(tmp_path / "b").lock():
        assert Home(tmp_path / "a").logs.is_dir()
        assert Home(tmp_path / "b").logs.is_dir()


def test_a_home_whose_holder_was_killed_is_free(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        holder.kill()

    with Home(tmp_path).lock():
        pass


def test_a_home_is_free_after_its_use(tmp_path: Path) -> None:
    with Home(tmp_path).lock():
        pass
    with Home(tmp_path).lock():
        pass


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SetupError, match=r"file/home cannot be written .*--home"), Home(tmp_path / "file/home").lock():
        pass
