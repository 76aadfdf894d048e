# /// script
# requires-python = ">=3.11"
# dependencies = ["langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2"]
# ///
"""LangGraph with its SQLite checkpointer: WAL, synchronous=FULL, durability `sync`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

if __name__ == "__main__":
    # In place of the script's own folder, and last, so that no file here hides a package of its name.
    sys.path[:] = [*sys.path[1:], str(Path(__file__).parents[1])]

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from peers._langgraph_turns import LangGraphPeer
from peers._peer import main


@asynccontextmanager
async def opened(arguments: argparse.Namespace) -> AsyncGenerator[LangGraphPeer]:
    """Open a fresh database."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncSqliteSaver.from_conn_string(str(Path(folder, "checkpoints.db"))) as saver:
            await saver.setup()
            await saver.conn.execute("PRAGMA synchronous=FULL")

            async def written() -> dict[str, float]:
                total = 1
                for pragma in ("page_count", "page_size"):
                    async with saver.conn.execute(f"PRAGMA {pragma}") as rows:
                        total *= (await rows.fetchone() or (0,))[0]
                return {"bytes": float(total)}

            yield LangGraphPeer(saver, written)


if __name__ == "__main__":
    main("langgraph_sqlite", opened)
