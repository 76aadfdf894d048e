"""An agent that watches a folder: it looks every second, and calls its model only when something is new there."""

from __future__ import annotations

from pathlib import Path

from aos import App, TerminalError, tool

INBOX = Path("inbox")
"""The folder, where the worker runs."""


@tool(timeout="5s", permission="inbox.read")
def listing() -> str:
    """List the files in the inbox, with their sizes in bytes, the newest first."""
    files = sorted(_files(), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return "\n".join(f"{file.name}: {file.stat().st_size}" for file in files) or "the inbox is empty"


@tool(timeout="5s", permission="inbox.read")
def newest() -> str:
    """Read the newest file in the inbox."""
    files = _files()
    if not files:
        raise TerminalError("the inbox is empty")
    file = max(files, key=lambda file: file.stat().st_mtime_ns)
    return f"{file.name} says: {file.read_text(encoding='utf-8')}"


def _files() -> list[Path]:
    return [file for file in INBOX.iterdir() if file.is_file()] if INBOX.is_dir() else []


app = App("watcher", tools=[listing, newest])
