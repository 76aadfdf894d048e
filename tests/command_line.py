"""The `aos` command as tests run it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner, Result

from aos.cli.app import app

_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and a namespace of it that holds the agents of these tests only."""

    address: str
    namespace: str

    @property
    def options(self) -> tuple[str, ...]:
        """The options that make the command use it."""
        return "--address", self.address, "--namespace", self.namespace


class Command:
    """Runs `aos` with some options always before the others, and checks its exit code."""

    def __init__(self, *first: str) -> None:
        self._first = first

    def __call__(self, *arguments: str, stdin: str | None = None, code: int = 0) -> Result:
        """Run it in this process."""
        result = CliRunner().invoke(app, [*self._first, *arguments], input=stdin, prog_name="aos")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str) -> Any:
        """Run it with `-o json` and return what it wrote."""
        return json.loads(self(*arguments, "-o", "json").stdout)

    def lines(self, *arguments: str) -> list[Any]:
        """Run it with `-o jsonl` and return what it wrote, line by line."""
        return [json.loads(line) for line in self(*arguments, "-o", "jsonl").stdout.splitlines()]

    @contextmanager
    def process(self, *arguments: str) -> Generator[subprocess.Popen[str]]:
        """Run it as a process of its own, its streams as pipes, until the block ends."""
        with subprocess.Popen(
            [sys.executable, "-m", "aos.cli", *self._first, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def until(self, *arguments: str, holds: Callable[[Any], bool]) -> Any:
        """Return what the command writes as JSON, once it holds: agents work while nobody waits for them."""
        end = time.monotonic() + _PATIENCE
        while not holds(found := self.json(*arguments)):
            assert time.monotonic() < end, found
        return found
