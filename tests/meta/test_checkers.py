"""What `make verify` checks besides the tests, so that nothing lands without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize("command", [["ruff", "format", "--check"], ["ruff", "check"], ["pyright"]], ids=" ".join)
@pytest.mark.timeout(300)
def test_the_checkers_find_nothing(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
