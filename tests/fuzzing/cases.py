"""Running many cases that are drawn from one seed, so that each can be had again alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

SLOWEST = 2.5
"""Seconds of CPU that one input may take, though a machine is busy; more is a way to stop a worker by a message."""

_SHOWN = 5


class Cases:
    """Runs cases one by one, and tells at the end of those that went wrong.

    Args:
        seed: What chance is drawn from.
        what: Names the cases; each has the chance of the seed, this name and its number.
    """

    def __init__(self, seed: int, what: str) -> None:
        self._seed = seed
        self._what = what
        self._wrong: list[str] = []
        self.outcomes: Counter[str] = Counter()

    def chance(self, number: int) -> Random:
        """Return the chance of one case."""
        return Random(f"{self._seed}/{self._what}/{number}")

    def run(self, number: int, case: Callable[[Random], tuple[object, Callable[[], str]]]) -> None:
        """Run one case: `case` draws the input and returns it with what reads it and says what came of it."""
        given, read = case(self.chance(number))
        began = time.thread_time()
        try:
            outcome = read()
        except Exception as error:  # noqa: BLE001 - whatever is no typed error is what is looked for
            outcome = ""
            self.wrong(number, given, f"{type(error).__name__}: {str(error)[:300]}")
        if (took := time.thread_time() - began) > SLOWEST:
            self.wrong(number, given, f"took {took:.1f} s of CPU")
        self.outcomes[outcome] += 1

    async def await_one(self, number: int, given: object, read: Awaitable[str]) -> None:
        """Run one case that takes its time, of whose CPU any thread may have had part."""
        began = time.process_time()
        try:
            outcome = await read
        except Exception as error:  # noqa: BLE001 - as above
            outcome = ""
            self.wrong(number, given, f"{type(error).__name__}: {str(error)[:300]}")
        if (took := time.process_time() - began) > SLOWEST:
            self.wrong(number, given, f"took {took:.1f} s of CPU")
        self.outcomes[outcome] += 1

    def wrong(self, number: int, given: object, problem: str) -> None:
        """Note a case that went wrong."""
        try:
            shown = repr(given)
        except ValueError:
            shown = "with a number too long to be shown"
        text = shown if len(shown) <= 600 else f"{shown[:400]} … {shown[-150:]} ({len(shown)} characters)"
        self._wrong.append(f"{self._what} {number} of seed {self._seed}: {problem}\n    {text}")

    def check(self) -> None:
        """Fail where a case went wrong."""
        if self._wrong:
            again = f"run again with --seed {self._seed}"
            raise AssertionError("\n".join([f"{len(self._wrong)} cases went wrong; {again}", *self._wrong[:_SHOWN]]))
