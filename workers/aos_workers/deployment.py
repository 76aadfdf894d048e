"""Worker versioning: which build of AOS runs the agents."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from importlib.metadata import version

from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from aos.connection import PATIENCE, passes
from aos.errors import SetupError

DEPLOYMENT = "aos"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_ATTEMPT = timedelta(seconds=10)


def build_of(build_id: str = "") -> str:
    """Return how a build is called. Without a `build_id` that is the version of the package."""
    return build_id or version("agent-operating-system")


def deployment_config(build_id: str) -> WorkerDeploymentConfig:
    """Return how a worker says which build it is."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=build_of(build_id)),
        use_worker_versioning=True,
    )


async def make_current(client: Client, config: WorkerDeploymentConfig) -> None:
    """Have the server give agents to the build of a worker that polls already; wait for one that is away or busy.

    Raises:
        SetupError: The server refuses, or does not take the build for `PATIENCE` seconds.
    """
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=config.version.deployment_name,
        build_id=config.version.build_id,
        identity=client.identity,
        ignore_missing_task_queues=True,
    )
    deadline, pause = time.monotonic() + PATIENCE, _FIRST_PAUSE
    while True:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request, timeout=_ATTEMPT)
            return
        except RPCError as error:
            # Until its first poll has arrived, the server does not know the build.
            unknown = error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
            if not (unknown or passes(error)) or time.monotonic() > deadline:
                raise SetupError(
                    f"the Temporal server does not take build {config.version.build_id!r}: {error.message}"
                ) from error
            # One that is busy must not be made busier; a build that is not known yet will be in a moment.
            pause = _FIRST_PAUSE if unknown else min(pause * 2, _LONGEST_PAUSE)
        await asyncio.sleep(pause)
