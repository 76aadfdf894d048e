"""Whether a server has the settings that agents gain from, told by what it does."""

from __future__ import annotations

from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import Client

from aos_workers.finding import Finding
from aos_workers.probe import Measured, measure
from aos_workers.temporal.server import DYNAMIC_CONFIG, SQLITE_PRAGMAS

_HELD_RATE, _HELD_MS, _HELD_SHARE = 25.0, 20.0, 0.36
"""A server with the default of 20 tasks a second lets each wait 50 ms, and the worker with it.

On a busy machine a step may take as long, but less of it is waiting: 0.25 to 0.31 were measured beside four busy
processes on two cores, where the default came to 0.40 and more.
"""

_LATE_MS = 300.0
_SLOW_WRITE_MS = 20.0


async def examine_pace(client: Client) -> list[Finding]:
    """Measure a server for two to three seconds, twice where it was slow, and name the settings that it lacks.

    Raises:
        RPCError: It does not let itself be measured.
    """
    cluster = await client.workflow_service.get_cluster_info(GetClusterInfoRequest(), retry=True)
    try:
        found = judge_pace(measured := await measure(client), cluster.persistence_store)
        if all(finding.level == "ok" for finding in found):
            return found
        # What a busy moment slows down looks like a setting that is missing; that one stays away.
        return judge_pace(measured.better(await measure(client)), cluster.persistence_store)
    except TimeoutError:
        what = "the server did not take a few short steps within 20 seconds"
        return [Finding("warning", what, "see its log and the load of its machine, then try again")]


def judge_pace(measured: Measured, store: str) -> list[Finding]:
    """Say what is slow in what was measured of a server on `store`, and the setting that mends it."""
    findings: list[Finding] = []
    if _is_held(measured):
        findings.append(
            Finding(
                "warning",
                f"the server holds an agent to {measured.rate:.0f} tasks a second: a step waits {measured.wait:.0f} ms",
                _remedy("history.transferProcessorMaxPollRPS", store),
            )
        )
    if measured.tasks > 1:
        what = "the server hands out each activity by a task and a transaction of its own"
        findings.append(Finding("warning", what, _remedy("system.enableActivityEagerExecution", store)))
    if measured.late >= _LATE_MS:
        what = f"a timer of 50 ms went off {measured.late:.0f} ms late, and so do retries and time-outs"
        findings.append(Finding("warning", what, _remedy("history.timerProcessorMaxTimeShift", store)))
    if measured.write >= _SLOW_WRITE_MS:
        pragmas = " ".join(f"--sqlite-pragma {name}={value}" for name, value in SQLITE_PRAGMAS.items())
        faster = "give the server's database a faster disk"
        remedy = f"`temporal server start-dev {pragmas}`, or {faster}" if store == "sqlite" else faster
        findings.append(
            Finding(
                "warning",
                f"the server takes {measured.write:.0f} ms for its quickest write, and a step has nine",
                remedy,
            )
        )
    told = f"a step waits {measured.wait:.0f} ms for the server, a write takes {measured.write:.0f} ms"
    return findings or [Finding("ok", f"the server has the settings that agents gain from: {told}")]


def _is_held(measured: Measured) -> bool:
    """Whether the server holds tasks back to its default rate."""
    return (
        measured.rate <= _HELD_RATE
        and measured.wait >= _HELD_MS * measured.tasks
        and measured.wait * measured.rate / measured.tasks >= _HELD_SHARE * 1000
    )


def _remedy(key: str, store: str) -> str:
    value = DYNAMIC_CONFIG[key]
    if store == "sqlite":
        return f"`aos up` sets it; else `temporal server start-dev --dynamic-config-value '{key}={value}'`"
    return f"set {key} to {value} in the server's dynamic configuration, as deploy/temporal/dynamicconfig.yaml does"
