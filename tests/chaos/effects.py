"""The effects ledger: a file to which workers append what they do, one line each, and which the driver reads."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Effect:
    """Something done about a message, under an idempotency key. One effect may be written many times."""

    agent: str
    key: str
    text: str


class EffectsWriter:
    """Appends to the ledger. A line is one write, so that a kill leaves it out or whole."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, agent: str, key: str, *texts: str) -> None:
        """Write down what is done about messages under one key."""
        os.write(self._file, (json.dumps([agent, key, texts]) + "\n").encode())


class Effects:
    """What the ledger says up to now, in the order in which it was written."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open("rb")
        self._rest = b""
        self.seen: list[Effect] = []
        self.texts: set[str] = set()

    def read(self) -> int:
        """Read what is new, and return how many messages had an effect."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in lines:
            agent, key, texts = json.loads(line)
            self.seen += [Effect(agent, key, text) for text in texts]
            self.texts.update(texts)
        return len(self.texts)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
