"""Consultations: a model that judges, a function of an application, agents that have a skill."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pydantic import JsonValue
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from aos.limits import clip, cut_bytes
from aos.read_back import ReadBlob
from aos.tool_contracts import ToolOutcome, ToolRequest
from aos_activities.archive import ArchiveActivities
from aos_activities.directory import DirectoryActivities, FindBySkill
from aos_activities.judging import JudgeRequest, JudgingActivities
from aos_activities.tools import ToolHost
from aos_workflows.options import PREPARATION, STORE, clamped, model_options, tool_heartbeat
from aos_workflows.team.course import Answer, Consult
from aos_workflows.team.state import TeamState
from aos_workflows.team.task import Question, Task

_GRACE = 5.0
_ERROR_BYTES = 2000


async def consult(state: TeamState, task: Task, question: Question) -> Answer:
    """Return what a consultation came to; what goes wrong is told in the answer."""
    asked = question.consult
    try:
        match asked.kind:
            case "model":
                return await _ask_model(state, task, question)
            case "function":
                return await _ask_function(state, task, question)
            case "agents":
                return await _find_agents(state, asked)
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return Answer(error=_reason(error))


async def _ask_model(state: TeamState, task: Task, question: Question) -> Answer:
    asked = question.consult
    judgement = await workflow.execute_activity_method(
        JudgingActivities.judge,
        JudgeRequest(
            asker=state.address,
            key=_key(state, task, question),
            models=list(asked.models),
            system=asked.system,
            prompt=asked.prompt,
            output_schema=asked.schema,
            again=question.again,
        ),
        summary=clip(f"a model judges in task {task.id}"),
        **model_options(state.spec.patience),
    )
    # What does not fit the schema is left to the strategy, which knows how to ask again.
    return Answer(text=judgement.text, output=judgement.output, usage=judgement.usage)


async def _ask_function(state: TeamState, task: Task, question: Question) -> Answer:
    asked = question.consult
    policy = state.tools.get(asked.tool)
    if policy is None:
        return Answer(error=f"the team does not know the tool {asked.tool!r}")
    outcome = await workflow.execute_activity_method(
        ToolHost.run_tool,
        ToolRequest(
            tool=asked.tool.rpartition("/")[2],
            key=_key(state, task, question),
            arguments=dict(asked.arguments),
            agent=state.address,
            message_id=task.id,
        ),
        task_queue=policy.queue,
        start_to_close_timeout=timedelta(seconds=clamped(policy.timeout) + _GRACE),
        schedule_to_start_timeout=timedelta(seconds=60),
        heartbeat_timeout=tool_heartbeat(policy.timeout),
        retry_policy=RetryPolicy(maximum_attempts=policy.attempts),
        summary=clip(f"{asked.tool} in task {task.id}"),
    )
    text = await _whole(outcome)
    return Answer(error=cut_bytes(text, _ERROR_BYTES)) if outcome.error else Answer(text=text, output=_as_json(text))


async def _find_agents(state: TeamState, asked: Consult) -> Answer:
    found = await workflow.execute_activity_method(
        DirectoryActivities.find_by_skill,
        FindBySkill(skill=asked.skill, but=[member.where for member in state.spec.members]),
        summary=clip(f"who can {asked.skill}"),
        **PREPARATION,
    )
    return Answer(output=[able.address for able in found if not able.paused and not able.full])


async def _whole(outcome: ToolOutcome) -> str:
    if not outcome.ref:
        return outcome.text
    page = await workflow.execute_activity_method(ArchiveActivities.read_blob, ReadBlob(ref=outcome.ref), **STORE)
    return page.text


def _as_json(text: str) -> JsonValue:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _key(state: TeamState, task: Task, question: Question) -> str:
    return f"{state.life}/{task.id}/{question.number}"


def _reason(error: ActivityError) -> str:
    cause: Any = error.cause
    if isinstance(cause, ApplicationError):
        return cut_bytes(cause.message, _ERROR_BYTES)
    last = cause.cause if isinstance(cause, FailureError) else None
    told = last.message if isinstance(last, ApplicationError) else cause or error
    return cut_bytes(f"it was not answered in time: {told}", _ERROR_BYTES)
