"""Whether agents are served: which workers poll, which build is the current one, and how many agents they keep."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkerDeploymentRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from aos.names import AGENT_WORKFLOW, TASK_QUEUE
from aos_workers.deployment import DEPLOYMENT
from aos_workers.finding import Finding

_GONE_SECONDS = 90.0
"""A worker polls at least once a minute; a server tells of one for five minutes after its last poll."""


async def examine_serving(client: Client, agents_cached: int) -> list[Finding]:
    """Look at the workers of the agents' task queue. `agents_cached` is what one of them keeps in memory."""
    pollers = await _pollers(client)
    if not pollers:
        remedy = "`aos up`, or start `aos-worker`"
        return [Finding("error", f"no worker serves the task queue {TASK_QUEUE!r}", remedy)]
    workers = len({poller.identity for poller in pollers})
    builds = {poller.deployment_options.build_id for poller in pollers if poller.deployment_options.build_id}
    alive = await client.count_workflows(f"WorkflowType = '{AGENT_WORKFLOW}' AND ExecutionStatus = 'Running'")
    return [
        Finding("ok", f"{workers} workers serve the task queue {TASK_QUEUE!r}"),
        *judge_build(await _current_build(client), builds),
        *judge_memory(alive.count, workers, agents_cached),
    ]


async def _pollers(client: Client) -> Sequence[PollerInfo]:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=TASK_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    described = await client.workflow_service.describe_task_queue(request, retry=True)
    since = time.time() - _GONE_SECONDS
    return [poller for poller in described.pollers if poller.last_access_time.ToSeconds() > since]


async def _current_build(client: Client) -> str:
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    try:
        described = await client.workflow_service.describe_worker_deployment(request, retry=True)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return ""
    return described.worker_deployment_info.routing_config.current_deployment_version.build_id


def judge_build(current: str, builds: Iterable[str]) -> list[Finding]:
    """Say whether the workers that poll are of the build to which the server gives the agents."""
    running = sorted(builds)
    if not running or current in running:
        return [Finding("ok", f"build {current} is the current one, and runs")] if running else []
    what = f"agents are given to build {current!r}" if current else f"no build of {DEPLOYMENT!r} is the current one"
    remedy = (
        "`temporal worker deployment set-current-version "
        f"--deployment-name {DEPLOYMENT} --build-id {running[-1]} --yes`, or start workers of the current build"
    )
    return [Finding("error", f"{what}, and the workers that run are of {', '.join(running)}: agents wait", remedy)]


def judge_memory(agents: int, workers: int, agents_cached: int) -> list[Finding]:
    """Say whether the workers can keep all agents in memory."""
    room = workers * agents_cached
    if agents <= room:
        return [Finding("ok", f"{agents} agents are alive, and the workers keep up to {room} in memory")]
    need = -(-agents // workers)
    return [
        Finding(
            "warning",
            f"{agents} agents are alive, and {workers} workers that keep {agents_cached} each have room for {room}: "
            "one that is not in memory is replayed each time it wakes",
            f"set AOS_AGENTS_CACHED={need} for the workers (about 50 KiB each), or start more of them",
        )
    ]
