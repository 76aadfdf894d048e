"""A Temporal dev server with the settings that a test asks for and no others."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from aos.plugin import AosPlugin
from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal


@asynccontextmanager
async def a_server(folder: Path, config: Mapping[str, str]) -> AsyncGenerator[Client]:
    """Run a dev server on a database in `folder`; `config` is dynamic configuration, each value in JSON."""
    extra = [part for name, value in config.items() for part in ("--dynamic-config-value", f"{name}={value}")]
    environment = await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType] - the SDK's
        plugins=[AosPlugin()],
        dev_server_existing_path=str(find_temporal(cache_folder(), lambda line: None)),
        dev_server_database_filename=str(folder / "temporal.db"),
        dev_server_log_level="error",
        dev_server_extra_args=extra,
    )
    async with environment:
        yield environment.client
