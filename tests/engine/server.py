"""A Temporal dev server for tests, set up as `aos up` sets it up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError
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
async def running_server(
    folder: Path | None, config: Mapping[str, str] | None = None
) -> AsyncGenerator[WorkflowEnvironment]:
    """Run a server on a database in `folder`, on a free port, until the block ends.

    Without a folder it keeps all in memory, for tests that neither kill it nor fill its disk: they take a fifth less
    time. `config` has values of the dynamic configuration that are to be others than with `aos up`.
    """
    binary = find_temporal(cache_folder(), lambda line: None)
    extra: list[str] = []
    for name, value in SQLITE_PRAGMAS.items() if folder else ():
        extra += ["--sqlite-pragma", f"{name}={value}"]
    for name, value in {**DYNAMIC_CONFIG, **_FOR_TESTS, **(config or {})}.items():
        extra += ["--dynamic-config-value", f"{name}={value}"]
    environment = await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType] - the SDK's
        plugins=[AosPlugin()],
        dev_server_existing_path=str(binary),
        dev_server_database_filename=str(folder / "temporal.db") if folder else None,
        dev_server_log_level="error",
        dev_server_extra_args=extra,
    )
    async with environment:
        yield environment


def isolated(client: Client) -> Client:
    """Return a client whose workers load AOS's own code anew for each workflow, so that the sandbox sees all it does.

    The tests of the workflows themselves have it. Elsewhere workers are as users have them, where a run starts in 1 ms
    of CPU, not 10.
    """
    return Client(client.service_client, namespace=client.namespace, plugins=[AosPlugin(isolated=True)])


async def apart(client: Client, name: str) -> Client:
    """Return a client of a new namespace on the same server, where its workers are in nobody's way."""
    day = Duration(seconds=86_400)
    namespace = f"{name}-{uuid4().hex[:8]}"
    request = RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=day)
    await client.workflow_service.register_namespace(request, retry=True)
    made = Client(client.service_client, namespace=namespace, plugins=[AosPlugin()])
    while True:
        try:
            _ = [found async for found in made.list_workflows()]
            return made
        except RPCError:  # the server has not looked at its namespaces since
            await asyncio.sleep(0.1)
