"""The AOS worker of the benchmark, with a model that waits as it is told.

Usage: python -m bench.cases._waiting_worker ADDRESS HOME
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from aos.connection import connect
from aos.provider import Listener, ModelRequest, ModelResponse
from aos.testing import last_text
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_workers.home import Home
from aos_workers.settings import Settings
from aos_workers.worker import Parts, running_workers
from bench.aos_worker import InstantModel
from bench.processes import serve_until_told

_PAUSE = 0.02


class PatientModel(InstantModel):
    """A model that answers `wait for FILE` when there is such a file; it makes FILE.reached before."""

    async def complete(self, request: ModelRequest, listener: Listener | None = None) -> ModelResponse:
        """Return the answer."""
        _, waits, name = last_text(request).partition("wait for ")
        if waits:
            await asyncio.to_thread(_wait_for, Path(name))
        return await super().complete(request, listener)


def _wait_for(file: Path) -> None:
    Path(f"{file}.reached").touch()
    while not file.exists():
        time.sleep(_PAUSE)


async def main(address: str, home: Home) -> None:
    """Serve until told to stop."""
    client = await connect(address)
    parts = Parts(
        store=SqliteBlobStore(home.blobs),
        registry=ProviderRegistry([PatientModel()], [f"{PatientModel.name}:model"]),
        memory=SqliteMemory(home.memory),
    )
    async with running_workers(client, Settings(home=home.path), parts):
        await serve_until_told()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Home(Path(sys.argv[2]))))
