"""Making a team ready, at birth and when it changes: the models and the functions that it names must be there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from aos.errors import InvalidInput
from aos.names import TASK_QUEUE, app_task_queue
from aos.strategy import Broadcast, Graph, Planner, Selector
from aos.team_spec import TeamSpec
from aos.termination import AllOf, AnyOf, Function, Termination
from aos.tool_contracts import ToolPolicy
from aos_activities.keeping import CheckTeam, KeepingActivities, TeamChecked
from aos_activities.tools import DescribeTools, ToolHost
from aos_workflows.inbound import refusal
from aos_workflows.options import PREPARATION

_ANSWER = timedelta(seconds=30)
_CONDITION = "tool:"


def models_of(spec: TeamSpec) -> list[str]:
    """Return the models that the team itself calls."""
    match spec.strategy:
        case Selector(model=models) | Planner(model=models):
            return list(models)
        case Broadcast(arbiter=arbiter) if arbiter:
            return list(arbiter.model)
        case _:
            return []


def tools_of(spec: TeamSpec) -> list[str]:
    """Return the functions of applications that the team itself calls."""
    return list(dict.fromkeys(tool for tool in (*_of_strategy(spec), *_of_termination(spec.termination)) if tool))


def _of_strategy(spec: TeamSpec) -> Iterator[str]:
    match spec.strategy:
        case Selector(function=function, candidates=candidates):
            yield function
            yield candidates
        case Graph(edges=edges):
            for edge in edges:
                if edge.condition.startswith(_CONDITION):
                    yield edge.condition.removeprefix(_CONDITION)
        case Broadcast(arbiter=arbiter) if arbiter:
            yield arbiter.function
        case _:
            return


def _of_termination(termination: Termination | None) -> Iterator[str]:
    match termination:
        case AnyOf(of=parts) | AllOf(of=parts):
            for part in parts:
                yield from _of_termination(part)
        case Function(tool=tool):
            yield tool
        case _:
            return


async def prepare(spec: TeamSpec) -> tuple[TeamChecked, dict[str, ToolPolicy]]:
    """Ask the workers whether they have what the team names; return how its functions are run.

    Raises:
        ApplicationError: `InvalidInput`, naming what is missing and where.
    """
    tools: dict[str, ToolPolicy] = {}
    for tool in tools_of(spec):
        tools[tool] = await _describe(spec, tool)
    checked = await workflow.execute_activity_method(
        KeepingActivities.check_team,
        CheckTeam(models=models_of(spec)),
        summary=f"make {spec.name} ready",
        **PREPARATION,
    )
    if checked.problems:
        raise refusal(InvalidInput(f"team {spec.name!r}", checked.problems))
    return checked, tools


async def _describe(spec: TeamSpec, tool: str) -> ToolPolicy:
    app, _, name = tool.rpartition("/")
    queue = app_task_queue(app) if app else TASK_QUEUE
    try:
        described = await workflow.execute_activity_method(
            ToolHost.describe_tools,
            DescribeTools(names=[name]),
            task_queue=queue,
            schedule_to_start_timeout=_ANSWER,
            start_to_close_timeout=_ANSWER,
            summary=f"ask about {tool}",
        )
    except ActivityError as error:
        match error.cause:
            case ApplicationError() as cause:
                problem = f"{tool}: {cause.message}"
            case ActivityTimeout():
                problem = f"{tool}: no worker serves the task queue {queue!r}; `aos up MODULE:APP` starts one"
            case _:
                raise
        raise refusal(InvalidInput(f"team {spec.name!r}", [problem])) from None
    return described[0].policy
