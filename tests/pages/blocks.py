"""The fenced blocks of a Markdown page."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_OPEN = re.compile(r"^```(\S+.*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `flags` and `options` come after the language in the line that opens it: `sh needs=key`."""

    page: Path
    line: int
    language: str
    flags: tuple[str, ...]
    options: dict[str, str]
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def title(self) -> str:
        """The file that the block is."""
        return self.options.get("title", "")

    @property
    def needs(self) -> str:
        """What a test lacks to run the block."""
        return self.options.get("needs", "")


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of `page`, in their order.

    Raises:
        ValueError: A block does not end, or says no language.
    """
    blocks: list[Block] = []
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        if not line.startswith("```"):
            continue
        opened = _OPEN.match(line)
        if not opened:
            raise ValueError(f"{page}:{number}: the block says no language")
        language, *rest = shlex.split(opened[1])
        body: list[str] = []
        for _, inside in lines:
            if inside == "```":
                break
            body.append(inside)
        else:
            raise ValueError(f"{page}:{number}: the block does not end")
        options = dict(word.split("=", 1) for word in rest if "=" in word)
        flags = tuple(word for word in rest if "=" not in word)
        blocks.append(Block(page, number, language, flags, options, "\n".join(body) + "\n"))
    return blocks


def shows(expected: str, actual: str) -> bool:
    """Whether `actual` is what `expected` shows: `...` stands for any text in a line, alone in a line for any lines."""
    pattern = "".join(
        r"(?:[^\n]*\n)*"
        if line.strip() == "..."
        else r"[^\n]*".join(map(re.escape, line.rstrip().split("..."))) + r"\n"
        for line in expected.splitlines()
    )
    lines = "".join(f"{line.rstrip()}\n" for line in actual.splitlines())
    return re.fullmatch(pattern, lines) is not None
