"""A service outside of AOS, with effects that nothing here can take back."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from pathlib import Path


class Outside:
    """Takes each effect under a key once, however often it is asked, and counts how often that was.

    Everything lies in files under `folder`, for many processes to use it and each of them to die at any time.
    """

    def __init__(self, folder: Path) -> None:
        self._visits = folder / "visits.jsonl"
        self._effects = folder / "effects"
        self._effects.mkdir(parents=True, exist_ok=True)

    def note(self, kind: str, key: str, about: str = "") -> None:
        """Note a visit."""
        visit = json.dumps([kind, key, about]) + "\n"
        descriptor = os.open(self._visits, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, visit.encode())
        finally:
            os.close(descriptor)

    def take(self, kind: str, key: str, about: str = "") -> bool:
        """Note a visit, and have the effect of `kind` if `key` is new. Return whether it was."""
        self.note(kind, key, about)
        digest = hashlib.sha256(key.encode()).hexdigest()
        try:
            os.close(os.open(self._effects / f"{kind}-{digest}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        return True

    def effects(self, kind: str) -> int:
        """Return how many effects of a kind there were."""
        return sum(name.name.startswith(f"{kind}-") for name in self._effects.iterdir())

    def visits(self, kind: str) -> Counter[str]:
        """Return how often each key was brought."""
        return Counter(key for key, _ in self.told(kind))

    def told(self, kind: str) -> list[tuple[str, str]]:
        """Return the key of every visit and what it was about, in order."""
        if not self._visits.exists():
            return []
        lines: list[list[str]] = [json.loads(line) for line in self._visits.read_text().splitlines()]
        return [(key, about) for one, key, about in lines if one == kind]
