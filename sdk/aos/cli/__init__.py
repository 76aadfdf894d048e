"""The `aos` command."""

from __future__ import annotations

import atexit
import gc


def main() -> None:
    """Run the command line and exit with its code: 1 where something failed, 2 where the input is wrong."""
    from aos.cli.app import app

    # As the interpreter ends it looks for garbage, several times, through all that was imported: a quarter of what a
    # command takes.
    atexit.register(gc.freeze)
    app(prog_name="aos")
