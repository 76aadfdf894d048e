from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aos.errors import TerminalError
from aos.tools import Tool
from aos_activities.builtin.documents import PAGE_BYTES, document_tool, listing_tool

HEADER = re.compile(r"\[path: (.+), bytes (\d+)-(\d+) of (\d+), (?:next offset (\d+)|the end)\]\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    opened = tmp_path / "opened"
    (opened / "notes").mkdir(parents=True)
    (opened / "harbour.md").write_text("The harbour lies in the north.\n")
    (opened / "notes" / "tide.md").write_text("High at noon.\n")
    (tmp_path / "private.md").write_text("not for agents\n")
    return opened


@pytest.fixture
def read(folder: Path) -> Tool[..., str]:
    return document_tool([folder])


def pages(read: Tool[..., str], path: str) -> list[bytes]:
    """Read a document page by page, as an agent would, checking that each page says what it is."""
    found: list[bytes] = []
    offset = 0
    while True:
        result = read(path, offset)
        header = HEADER.match(result)
        assert header, result
        text = result[header.end() :].encode()
        assert (header[1], int(header[2]), int(header[3])) == (path, offset, offset + len(text))
        found.append(text)
        if header[5] is None:
            assert int(header[3]) == int(header[4])
            return found
        assert int(header[5]) > offset
        offset = int(header[5])


def test_the_documents_of_all_folders_are_listed_without_what_is_hidden(folder: Path, tmp_path: Path) -> None:
    (folder / ".secret.md").write_text("hidden")
    other = tmp_path / "other"
    other.mkdir()
    assert listing_tool([folder, other])() == "harbour.md\nnotes/tide.md"
    assert listing_tool([other])() == "(there are none)"
    for number in range(300):
        (other / f"{number:03}.md").touch()
    assert listing_tool([other])().splitlines()[198:] == ["198.md", "199.md", "(and more than 200 in all)"]
    with pytest.raises(TerminalError, match="AOS_DOCUMENTS"):
        listing_tool([])()


def test_a_short_document_is_one_page(read: Tool[..., str]) -> None:
    assert read("harbour.md") == "[path: harbour.md, bytes 0-31 of 31, the end]\nThe harbour lies in the north.\n"
    assert read("notes/tide.md").endswith("High at noon.\n")


def test_an_empty_document_is_one_empty_page(read: Tool[..., str], folder: Path) -> None:
    (folder / "empty.md").touch()
    assert read("empty.md") == "[path: empty.md, bytes 0-0 of 0, the end]\n"


def test_a_long_document_is_cut_at_its_lines(read: Tool[..., str], folder: Path) -> None:
    text = "".join(f"line {number} of the log, with an ä\n" for number in range(1000)).encode()
    (folder / "log.txt").write_bytes(text)
    found = pages(read, "log.txt")
    assert b"".join(found) == text
    assert all(page.endswith(b"\n") and PAGE_BYTES - 40 < len(page) <= PAGE_BYTES for page in found[:-1])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.sampled_from("aäあ𝄞\n "), min_size=1), min_size=1), st.integers(1, 4000))
def test_the_pages_of_any_text_make_up_the_text(
    read: Tool[..., str], folder: Path, parts: list[str], times: int
) -> None:
    text = ("".join(parts) * times)[:30_000].encode()
    (folder / "any.txt").write_bytes(text)
    assert b"".join(pages(read, "any.txt")) == text


def test_an_offset_within_a_character_moves_on_to_the_next(read: Tool[..., str], folder: Path) -> None:
    (folder / "tune.txt").write_text("𝄞 ä")
    assert read("tune.txt", 2) == "[path: tune.txt, bytes 4-7 of 7, the end]\n ä"


def test_an_offset_past_the_end_is_refused(read: Tool[..., str]) -> None:
    for offset in (31, 500):
        with pytest.raises(TerminalError, match="has 31 bytes"):
            read("harbour.md", offset)


def test_without_a_folder_every_call_names_the_setting() -> None:
    with pytest.raises(TerminalError, match="AOS_DOCUMENTS"):
        document_tool([])("harbour.md")


def test_an_unknown_path_is_answered_with_those_that_there_are(read: Tool[..., str]) -> None:
    with pytest.raises(TerminalError, match=r"no document 'habour\.md'; there are: harbour\.md, notes/tide\.md$"):
        read("habour.md")


def test_no_more_than_twenty_paths_are_listed(read: Tool[..., str], folder: Path) -> None:
    for number in range(30):
        (folder / f"extra{number}.md").touch()
    with pytest.raises(TerminalError, match="and more") as caught:
        read("nothing.md")
    assert str(caught.value).count(".md,") + str(caught.value).count(".md and more") == 20


def test_nothing_outside_the_folder_is_read(read: Tool[..., str], folder: Path) -> None:
    outside = folder.parent / "private.md"
    (folder / "link.md").symlink_to(outside)
    (folder / "up").symlink_to(folder.parent)
    (folder / "loop.md").symlink_to("loop.md")
    for path in (
        *("../private.md", "notes/../../private.md", str(outside), str(folder / "harbour.md"), "link.md"),
        *("up/private.md", "loop.md", "", ".", "notes", "harbour.md\0", "x" * 5000, "../opened2/x.md"),
    ):
        with pytest.raises(TerminalError) as caught:
            read(path)
        assert "not for agents" not in str(caught.value)
        assert re.search(r"there are: harbour\.md, notes/tide\.md$", str(caught.value)), "nor is it listed"


def test_a_link_within_the_folder_is_followed(read: Tool[..., str], folder: Path) -> None:
    (folder / "port.md").symlink_to("harbour.md")
    assert "in the north" in read("port.md")


def test_a_hidden_file_is_no_document_whatever_leads_there(read: Tool[..., str], folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("password")
    (folder / "open.md").symlink_to(".git/config")
    for path in (".git/config", "open.md"):
        with pytest.raises(TerminalError, match="no document"):
            read(path)


def test_a_pipe_is_no_document(read: Tool[..., str], folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(TerminalError, match="no document"):
        read("pipe")


@pytest.mark.parametrize("data", [b"\x89PNG\xff\xfe", b"text\0with a NUL", b"cut short \xe3\x81"])
def test_what_is_no_text_is_refused(read: Tool[..., str], folder: Path, data: bytes) -> None:
    (folder / "picture").write_bytes(data)
    with pytest.raises(TerminalError, match="no text in UTF-8"):
        read("picture")


def test_the_first_folder_that_has_a_document_gives_it(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "harbour.md").write_text("another harbour")
    (other / "ship.md").write_text("a ship")
    read = document_tool([folder, other])
    assert "in the north" in read("harbour.md")
    assert "a ship" in read("ship.md")


def test_reading_needs_its_permission(read: Tool[..., str]) -> None:
    assert read.describe("aos").policy.permission == "documents.read"
