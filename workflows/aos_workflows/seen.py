"""Which messages came before: what makes a message that is sent twice be handled once, for ever."""

from __future__ import annotations

import base64
import hashlib
from typing import Literal

from pydantic import Field

from aos.message import Message, Sequence
from aos.wire import Wire

Verdict = Literal["new", "duplicate", "forgotten"]

STREAMS = 128
GAPS = 128
"""Holes in the numbers of one stream that are remembered: messages that were sent before others and come after them."""
IDS = 512


class Stream(Wire):
    """The numbers that came of one sender's stream, as ranges: `[1, 7, 9, 9]` is 1 to 7 and 9.

    Where there are too many holes between them the first is closed, and `doubtful` are the bounds of all that were:
    whether a number between them came before is not known any more.
    """

    born: int
    ranges: list[int] = Field(default_factory=list[int])
    doubtful: list[int] = Field(default_factory=list[int])

    def judge(self, number: int) -> Verdict:
        """Say whether `number` came before, and remember it."""
        bounds = self.ranges
        at = 0
        while at < len(bounds) and bounds[at + 1] < number:
            at += 2
        if at < len(bounds) and bounds[at] <= number:
            return "forgotten" if self._doubts(number) else "duplicate"
        after_previous = at > 0 and bounds[at - 1] == number - 1
        before_next = at < len(bounds) and bounds[at] == number + 1
        if after_previous and before_next:
            del bounds[at - 1 : at + 1]
        elif after_previous:
            bounds[at - 1] = number
        elif before_next:
            bounds[at] = number
        else:
            bounds[at:at] = [number, number]
            if len(bounds) > 2 * (GAPS + 1):
                self.doubtful = [min([*self.doubtful, bounds[1] + 1]), max([*self.doubtful, bounds[2] - 1])]
                del bounds[1:3]
        return "new"

    def has(self, number: int) -> bool:
        """Whether `number` came before, or may have come."""
        bounds = self.ranges
        return any(bounds[at] <= number <= bounds[at + 1] for at in range(0, len(bounds), 2))

    def _doubts(self, number: int) -> bool:
        return bool(self.doubtful) and self.doubtful[0] <= number <= self.doubtful[1]


class Seen(Wire):
    """Every message that came, in bounded space.

    A message is judged by the last `IDS` ids, and if it has a sequence by its stream's numbers besides.
    Streams that were silent longest make room for new ones. A stream older than one that made room may have been
    here before, so its messages are `forgotten` (refused, for the sender to send anew), never handled twice.
    """

    streams: dict[str, Stream] = Field(default_factory=dict[str, Stream])
    floor: int = -1
    ids: list[str] = Field(default_factory=list[str])

    def judge(self, message: Message) -> Verdict:
        """Say whether `message` came before, and remember it."""
        digest = short_digest(message.id)
        # The number of a message known by its id counts too: it may come once more when the id is forgotten.
        verdict: Verdict = self._judge_sequence(message.sequence) if message.sequence else "new"
        if digest in self.ids:
            return "duplicate"
        if verdict == "new":
            self.ids.append(digest)
            del self.ids[:-IDS]
        return verdict

    def knows(self, message: Message) -> bool:
        """Whether `message` is known to have come before; it is not remembered for the question."""
        if short_digest(message.id) in self.ids:
            return True
        sequence = message.sequence
        stream = self.streams.get(sequence.stream) if sequence else None
        return stream is not None and sequence is not None and stream.has(sequence.number)

    def _judge_sequence(self, sequence: Sequence) -> Verdict:
        stream = self.streams.pop(sequence.stream, None)
        if stream is None:
            if sequence.born <= self.floor:
                return "forgotten"
            stream = Stream(born=sequence.born)
        self.streams[sequence.stream] = stream
        if len(self.streams) > STREAMS:
            silent = next(iter(self.streams))
            self.floor = max(self.floor, self.streams.pop(silent).born)
        return stream.judge(sequence.number)


def short_digest(text: str) -> str:
    """Return twelve characters that stand for `text`, and hardly ever for another."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:9]).decode()
