"""Documents from folders that were opened to agents."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import Field

from aos.errors import TerminalError
from aos.tools import Tool, tool

PAGE_BYTES = 8_000
_NAMES = 20
_LISTED = 200
_NONE_OPEN = "no folder is open to agents; whoever runs the workers can open some by the setting AOS_DOCUMENTS"


def document_tool(folders: Sequence[Path]) -> Tool[..., str]:
    """Return `read_document` over the files of `folders`. Names that begin with a dot are no documents."""

    @tool(timeout="30s", permission="documents.read")
    def read_document(path: str, offset: Annotated[int, Field(ge=0)] = 0) -> str:
        """Read a page of a document. Its first line says where the next page starts.

        Args:
            path: Path of the document, such as notes/harbour.md. A wrong one is answered with those that there are.
            offset: Byte at which the page starts.
        """
        if not folders:
            raise TerminalError(_NONE_OPEN)
        document = _find(folders, path)
        if document is None:
            raise TerminalError(f"there is no document {path!r}; {_available(folders)}")
        return _page(document, path, offset)

    return read_document


def listing_tool(folders: Sequence[Path]) -> Tool[..., str]:
    """Return `list_documents` over the files of `folders`."""

    @tool(timeout="30s", permission="documents.read")
    def list_documents() -> str:
        """List the documents that can be read, by their paths, one a line."""
        if not folders:
            raise TerminalError(_NONE_OPEN)
        names = list(islice(_names(folders), _LISTED + 1))
        more = f"\n(and more than {_LISTED} in all)" if len(names) > _LISTED else ""
        return "\n".join(names[:_LISTED]) + more or "(there are none)"

    return list_documents


def _find(folders: Sequence[Path], path: str) -> Path | None:
    for folder in folders:
        document = _within(folder, path)
        if document is not None:
            return document
    return None


def _within(folder: Path, path: str) -> Path | None:
    """Return the file at `path`, links followed, if it lies in `folder` and nothing on its way there is hidden."""
    try:
        root = folder.resolve()
        document = (root / path).resolve()
        inside = document.is_relative_to(root) and document.is_file()
    except (OSError, ValueError, RuntimeError):  # too long a name, a NUL in it, a loop of links
        return None
    hidden = inside and any(part.startswith(".") for part in document.relative_to(root).parts)
    return document if inside and not hidden and not Path(path).is_absolute() else None


def _available(folders: Sequence[Path]) -> str:
    names = list(islice(_names(folders), _NAMES + 1))
    if not names:
        return "the folders that are open to you hold no document"
    return "there are: " + ", ".join(names[:_NAMES]) + (" and more" if len(names) > _NAMES else "")


def _names(folders: Sequence[Path]) -> Iterator[str]:
    for folder in folders:
        for place, subfolders, files in os.walk(folder):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(files):
                path = (Path(place) / name).relative_to(folder)
                if not name.startswith(".") and _within(folder, str(path)) is not None:
                    yield path.as_posix()


def _page(document: Path, path: str, offset: int) -> str:
    with document.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if offset > size or offset == size > 0:
            raise TerminalError(f"{path} has {size} bytes, so there is nothing at offset {offset}")
        file.seek(offset)
        data = file.read(PAGE_BYTES)
    # An offset in the middle of a character moves on to the next one.
    skipped = next((index for index, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0) if offset else 0
    start = offset + skipped
    last = offset + len(data) >= size
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data[skipped:], final=last)
    except UnicodeDecodeError:
        raise _not_text(path) from None
    if "\0" in text:
        raise _not_text(path)
    if not last:
        # A line that fills more than half of the page is cut.
        end_of_line = text.rfind("\n", len(text) // 2) + 1
        text = text[:end_of_line] if end_of_line else text
    end = start + len(text.encode())
    rest = f"next offset {end}" if end < size else "the end"
    return f"[path: {path}, bytes {start}-{end} of {size}, {rest}]\n{text}"


def _not_text(path: str) -> TerminalError:
    return TerminalError(f"{path} is no text in UTF-8, so it cannot be read")
