"""`python -m aos_workers.temporal`: get the Temporal binary and print its path; progress goes to stderr."""

from __future__ import annotations

import sys

from aos.errors import SetupError
from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal


def main() -> int:
    """Print the path of a Temporal binary, got into the cache if need be. Return the exit code."""

    def report(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    try:
        sys.stdout.write(f"{find_temporal(cache_folder(), report)}\n")
    except SetupError as error:
        report(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
