"""Numbered migrations: which scripts a database still needs."""

from __future__ import annotations

from collections.abc import Sequence

from aos.errors import SetupError


def missing(migrations: Sequence[str], version: int) -> Sequence[str]:
    """Return the scripts that bring tables of a version up to date.

    Raises:
        SetupError: They are of a later version of AOS.
    """
    if version > len(migrations):
        raise SetupError(
            f"the database is of a later version of AOS (its tables have version {version}, this AOS knows "
            f"{len(migrations)}); install that version"
        )
    return migrations[version:]
