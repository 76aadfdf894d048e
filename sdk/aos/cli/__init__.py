"""The `aos` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its code: 1 where something failed, 2 where the input is wrong."""
    from aos.cli.app import app

    app(prog_name="aos")
