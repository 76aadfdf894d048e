"""What a source of the Temporal binary raises."""

from __future__ import annotations


class Unavailable(Exception):
    """A source of the Temporal binary that does not serve on this machine; the message says why."""
