"""`python -m aos_workers.temporal CACHE`: get the Temporal binary and print its path; progress goes to stderr."""

from __future__ import annotations

import sys
from pathlib import Path

from aos.errors import SetupError

from aos_workers.temporal.binary import find_temporal


def main(cache: Path) -> int:
    """Print the path of a Temporal binary, got into `cache` if need be. Return the exit code."""

    def report(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    try:
        sys.stdout.write(f"{find_temporal(cache, report)}\n")
    except SetupError as error:
        report(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
