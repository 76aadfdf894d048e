# /// script
# requires-python = ">=3.11"
# dependencies = ["dbos==3.4.0", "psycopg[binary]==3.3.9"]
# ///
"""DBOS on Postgres: one workflow is a conversation; a turn is send, recv, one step that asks the model, set_event."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    # In place of the script's own folder, and last, so that no file here hides a package of its name.
    sys.path[:] = [*sys.path[1:], str(Path(__file__).parents[1])]

from dbos import DBOS, SetWorkflowID
from measure import REPLY
from peers._peer import Unavailable, main
from peers._postgres import written
from psycopg import AsyncConnection


@DBOS.step()
async def model(messages: list[str]) -> str:
    """The model: it answers at once."""
    return REPLY


@DBOS.workflow()
async def chat() -> None:
    """A conversation. Its messages are made anew from the steps when it recovers."""
    messages: list[str] = []
    while True:
        text = await DBOS.recv_async(timeout_seconds=3600)
        if text is not None:
            messages.append(text)
            messages.append(await model(messages))
            # Each turn has a key of its own: who waits must not get the reply before.
            await DBOS.set_event_async(f"reply-{len(messages) // 2}", messages[-1])


@dataclass
class DBOSPeer:
    """The workflows in this process."""

    connection: AsyncConnection
    """To see what is written."""

    parts: dict[str, list[int]]
    turns: Counter[str] = field(default_factory=Counter[str])
    own: str = "worker"
    durable: bool = True

    async def start(self, names: Sequence[str]) -> None:
        for name in names:
            with SetWorkflowID(name):
                await DBOS.start_workflow_async(chat)

    async def ask(self, name: str, text: str) -> str:
        self.turns[name] += 1
        turn = self.turns[name]
        await DBOS.send_async(name, text)
        return await DBOS.get_event_async(name, f"reply-{turn}", timeout_seconds=600)

    async def weigh(self, names: Sequence[str]) -> dict[str, float]:
        return await written(self.connection)


@asynccontextmanager
async def opened(arguments: argparse.Namespace) -> AsyncGenerator[DBOSPeer]:
    """Launch DBOS on the database."""
    if not arguments.postgres:
        raise Unavailable("there is no Postgres: give its DSN with --postgres")
    url = arguments.postgres.replace("postgresql://", "postgresql+psycopg://")
    DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR", "application_version": "1"})
    await asyncio.to_thread(DBOS.launch)
    try:
        async with await AsyncConnection.connect(arguments.postgres, autocommit=True) as connection:
            yield DBOSPeer(connection, {"database": [arguments.postgres_pid]})
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    main("dbos", opened)
