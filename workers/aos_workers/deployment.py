"""Worker versioning: which build of AOS runs the agents."""

from __future__ import annotations

import asyncio
import time
from importlib.metadata import version

from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from aos.errors import SetupError

DEPLOYMENT = "aos"
_PATIENCE = 30.0
_PAUSE = 0.05


def deployment_config(build_id: str) -> WorkerDeploymentConfig:
    """Return how a worker says which build it is. Without a `build_id` that is the version of the package."""
    build = build_id or version("agent-operating-system")
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=build), use_worker_versioning=True
    )


async def make_current(client: Client, config: WorkerDeploymentConfig) -> None:
    """Have the server give agents to the build of a worker that polls already.

    Raises:
        SetupError: The server does not know the build after 30 seconds.
    """
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=config.version.deployment_name,
        build_id=config.version.build_id,
        identity=client.identity,
        ignore_missing_task_queues=True,
    )
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
            return
        except RPCError as error:
            # Until its first poll has arrived, the server does not know the build.
            unknown = error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
            if not unknown or time.monotonic() > deadline:
                raise SetupError(
                    f"the Temporal server does not take build {config.version.build_id!r}: {error.message}"
                ) from error
        await asyncio.sleep(_PAUSE)
