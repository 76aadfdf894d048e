"""A real Temporal binary, and a home for its server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aos_workers.home import Home
from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal


def tell(line: str) -> None:
    sys.stderr.write(line + "\n")


@pytest.fixture(scope="session")
def temporal_binary() -> Path:
    return find_temporal(cache_folder(), tell)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")
