"""Making a spec ready to run, at birth and when it changes."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from aos.errors import InvalidInput
from aos.names import app_task_queue
from aos.spec import AgentSpec
from aos.tool_contracts import ToolDescription
from aos_activities.programs import PrepareAgent, Prepared, ProgramActivities
from aos_activities.tools import DescribeTools, ToolHost
from aos_workflows.inbound import refusal
from aos_workflows.options import PREPARATION

_ANSWER = timedelta(seconds=30)


async def prepare(spec: AgentSpec) -> Prepared:
    """Ask the workers that serve the spec's tools and models whether they can, and have its program stored.

    Raises:
        ApplicationError: `InvalidInput`, naming what is missing and where.
    """
    try:
        described = [tool for app, names in _by_app(spec).items() for tool in await _describe(spec, app, names)]
        return await workflow.execute_activity_method(
            ProgramActivities.prepare_agent,
            PrepareAgent(spec=spec, described=described),
            summary=f"make {spec.name} ready",
            **PREPARATION,
        )
    except ActivityError as error:
        cause = error.cause
        raise (cause if isinstance(cause, ApplicationError) else error) from None


def _by_app(spec: AgentSpec) -> dict[str, list[str]]:
    apps: dict[str, list[str]] = {}
    for tool in spec.tools:
        app, _, name = tool.rpartition("/")
        if app:
            apps.setdefault(app, []).append(name)
    return apps


async def _describe(spec: AgentSpec, app: str, names: list[str]) -> list[ToolDescription]:
    queue = app_task_queue(app)
    try:
        described = await workflow.execute_activity_method(
            ToolHost.describe_tools,
            DescribeTools(names=names),
            task_queue=queue,
            schedule_to_start_timeout=_ANSWER,
            start_to_close_timeout=_ANSWER,
            summary=f"ask {app} about its tools",
        )
    except ActivityError as error:
        match error.cause:
            case ApplicationError() as cause:
                problem = f"tools: {cause.message}"
            case ActivityTimeout():
                problem = (
                    f"tools: no worker serves the tools of {app!r} on the task queue {queue!r}; "
                    "`aos up MODULE:APP` starts one"
                )
            case _:
                raise
        raise refusal(InvalidInput(f"agent {spec.name!r}", [problem])) from None
    return described
