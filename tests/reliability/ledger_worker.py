"""A worker whose model writes down every call before it answers: run as a process of its own, to be killed.

Usage: ledger_worker.py ADDRESS HOME LEDGER
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from aos.connection import connect
from aos.provider import ModelRequest, ModelResponse
from aos.testing import ScriptedProvider, last_text
from aos_activities.models.registry import ProviderRegistry
from aos_activities.store import SqliteBlobStore
from aos_workers.home import Home
from aos_workers.settings import Settings
from aos_workers.worker import Parts, running_workers


async def main(address: str, home: Home, ledger: int) -> None:
    def answer(request: ModelRequest) -> ModelResponse:
        text = last_text(request)
        os.write(ledger, (json.dumps([request.key, text]) + "\n").encode())
        return ModelResponse(text=f"done: {text}")

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    registry = ProviderRegistry([ScriptedProvider(answer)], ["scripted:ledger"])
    client = await connect(address)
    parts = Parts(store=SqliteBlobStore(home.blobs), registry=registry)
    async with running_workers(client, Settings(home=home.path), parts):
        await stop.wait()


if __name__ == "__main__":
    descriptor = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    asyncio.run(main(sys.argv[1], Home(Path(sys.argv[2])), descriptor))
