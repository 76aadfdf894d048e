# /// script
# requires-python = ">=3.11"
# dependencies = ["langgraph==1.2.22", "langgraph-checkpoint-postgres==3.2.0", "psycopg[binary,pool]==3.3.9"]
# ///
"""LangGraph with its Postgres checkpointer on a pool of connections, durability `sync`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    # In place of the script's own folder, and last, so that no file here hides a package of its name.
    sys.path[:] = [*sys.path[1:], str(Path(__file__).parents[1])]

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from peers._langgraph_turns import LangGraphPeer
from peers._peer import Unavailable, main
from peers._postgres import written
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool


@asynccontextmanager
async def opened(arguments: argparse.Namespace) -> AsyncGenerator[LangGraphPeer]:
    """Open the database with the settings of the checkpointer's own documentation."""
    if not arguments.postgres:
        raise Unavailable("there is no Postgres: give its DSN with --postgres")
    settings = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool = AsyncConnectionPool(arguments.postgres, min_size=10, max_size=10, kwargs=settings, timeout=600, open=False)
    async with pool, await AsyncConnection.connect(arguments.postgres, autocommit=True) as connection:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield LangGraphPeer(saver, partial(written, connection), {"database": [arguments.postgres_pid]})


if __name__ == "__main__":
    main("langgraph_postgres", opened)
