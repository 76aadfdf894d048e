"""The dead letters in a workflow's state: the newest, and where the others lie."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from aos.message import Message
from aos.views import DeadLetter
from aos.wire import Wire

DEAD_LETTERS_KEPT = 20
"""Dead letters that cross a rollover in the state; the others lie in the store."""


class Dead(Wire):
    """The part of a state that has the dead letters, the newest last."""

    dead: list[DeadLetter] = Field(default_factory=list[DeadLetter])
    dead_count: int = 0
    dead_older: str = ""
    unkept: list[Message] = Field(default_factory=list[Message])
    """Messages of dead letters that the store does not have yet."""

    def bury(self, letter: DeadLetter) -> None:
        """Add a dead letter."""
        self.dead.append(letter)
        self.dead_count += 1

    def found_kept(self, ids: Sequence[str], ref: str) -> None:
        """Note that the store has the whole messages of dead letters, in the page `ref`."""
        wanted = set(ids)
        self.dead = [
            letter.model_copy(update={"ref": ref})
            if letter.id in wanted and letter.replayable and not letter.ref
            else letter
            for letter in self.dead
        ]

    def old_dead(self) -> list[DeadLetter]:
        """Return the dead letters that are to go into the store: all but the newest few."""
        room, kept = self.dead_bytes, 0
        for letter in reversed(self.dead[-DEAD_LETTERS_KEPT:]):
            room -= len(letter.model_dump_json().encode())
            if room < 0:
                break
            kept += 1
        return self.dead[: len(self.dead) - kept]

    @property
    def dead_bytes(self) -> int:
        """Most bytes of dead letters that cross a rollover in the state; the others lie in the store, whole."""
        raise NotImplementedError
