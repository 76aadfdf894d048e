"""A Temporal dev server for tests, set up as `aos up` sets it up."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from aos.plugin import AosPlugin
from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import DYNAMIC_CONFIG, SQLITE_PRAGMAS

_FOR_TESTS = {
    # Tests roll agents over more often than once a second.
    "history.workflowIdReuseMinimalInterval": '"0s"',
}


@asynccontextmanager
async def running_server(folder: Path, config: Mapping[str, str] | None = None) -> AsyncGenerator[WorkflowEnvironment]:
    """Run a server on a database in `folder`, on a free port, until the block ends.

    `config` has values of the dynamic configuration that are to be others than with `aos up`.
    """
    binary = find_temporal(cache_folder(), lambda line: None)
    extra: list[str] = []
    for name, value in SQLITE_PRAGMAS.items():
        extra += ["--sqlite-pragma", f"{name}={value}"]
    for name, value in {**DYNAMIC_CONFIG, **_FOR_TESTS, **(config or {})}.items():
        extra += ["--dynamic-config-value", f"{name}={value}"]
    environment = await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType] - the SDK's
        plugins=[AosPlugin()],
        dev_server_existing_path=str(binary),
        dev_server_database_filename=str(folder / "temporal.db"),
        dev_server_log_level="error",
        dev_server_extra_args=extra,
    )
    async with environment:
        yield environment


def isolated(client: Client) -> Client:
    """Return a client whose workers load AOS's own code anew for each workflow, so that the sandbox sees all it does.

    The tests of the workflows themselves have it. Elsewhere workers are as users have them: each run starts in 1 ms
    of CPU instead of 10.
    """
    return Client(client.service_client, namespace=client.namespace, plugins=[AosPlugin(isolated=True)])
