"""Every block of the README and the documentation does what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages.blocks import blocks_of, shows
from pages.place import ROOT, place
from pages.reader import NEEDS, Reader

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_BLOCKS = [page for page in PAGES if blocks_of(page)]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.stem)
def test_every_block_of_the_page_works(page: Path, tmp_path: Path) -> None:
    with place(tmp_path) as where:
        reader = Reader(where)
        for block in blocks_of(page):
            if not block.needs:
                reader.follow(block)


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.stem)
def test_a_block_that_is_not_run_says_what_it_needs(page: Path) -> None:
    for block in blocks_of(page):
        assert not block.needs or block.needs in NEEDS, f"{block}: {block.needs!r} is no reason"


def test_few_blocks_are_not_run() -> None:
    left = [str(block) for page in PAGES for block in blocks_of(page) if block.needs]

    assert len(left) <= 3, left


def test_three_dots_stand_for_what_changes_and_for_nothing_else() -> None:
    assert shows("ada has the message ...", "ada has the message 17")
    assert shows("one\n...\nfour", "one\ntwo\nthree\nfour")
    assert not shows("ada has ...", "bob has the message")
    assert not shows("one\nthree", "one\ntwo\nthree")
    assert not shows("one", "one\ntwo")
