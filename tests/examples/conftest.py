"""The examples, each in a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pages.place import ROOT, Place, place


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """Give a place that holds the files of an example."""
    with ExitStack() as stack:

        def copied(name: str) -> Place:
            where = stack.enter_context(place(tmp_path))
            shutil.copytree(ROOT / "examples" / name, where.folder, dirs_exist_ok=True)
            return where

        yield copied
