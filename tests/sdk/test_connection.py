"""Calls about agents that fail for a while, on a server whose workflow tasks the test itself completes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.command.v1 import Command, ContinueAsNewWorkflowExecutionCommandAttributes
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
)
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from aos.connection import Passing, once
from aos.errors import AgentError

_TYPE = "CompletedByHand"


@asynccontextmanager
async def _asking(client: Client) -> AsyncGenerator[tuple[TaskQueue, WorkflowHandle[Any, Any], asyncio.Task[Any]]]:
    """Have a workflow asked something; its queue has the task that brings the question."""
    queue = TaskQueue(name=f"by-hand-{uuid4().hex}")
    handle = await client.start_workflow(_TYPE, id=queue.name, task_queue=queue.name)
    await _complete(client, await _task(client, queue))
    calling = handle.execute_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
        "ask", "hello", rpc_timeout=timedelta(seconds=20)
    )
    yield queue, handle, asyncio.create_task(once("ada", calling))
    await handle.terminate()


async def test_an_update_that_comes_as_a_rollover_is_done_again_may_be_made_again(
    temporal: WorkflowEnvironment,
) -> None:
    client = temporal.client
    async with _asking(client) as (queue, handle, asked):
        task = await _task(client, queue)
        await handle.signal("send", "what the end of the run would miss")
        rolling_over = ContinueAsNewWorkflowExecutionCommandAttributes(
            workflow_type=WorkflowType(name=_TYPE), task_queue=queue
        )
        with pytest.raises(RPCError, match="UnhandledCommand"):
            await _complete(
                client,
                task,
                Command(
                    command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
                    continue_as_new_workflow_execution_command_attributes=rolling_over,
                ),
            )
        with pytest.raises(Passing, match="workflow task failure"):
            await asked


async def test_an_update_that_got_lost_on_the_way_to_the_worker_may_be_made_again(
    temporal: WorkflowEnvironment,
) -> None:
    async with _asking(temporal.client) as (queue, _, asked):
        await _complete(temporal.client, await _task(temporal.client, queue))
        with pytest.raises(Passing) as passing:
            await asked
    assert passing.value.away, "a worker that never takes it in is not waited for without end"


async def test_a_query_for_which_a_busy_worker_had_no_time_may_be_made_again() -> None:
    late = "[TMPRL1101] Potential deadlock detected: workflow didn't yield within 2 second(s)."
    with pytest.raises(Passing):
        await once("ada", _failing(WorkflowQueryFailedError(late)))
    with pytest.raises(AgentError, match="no such query"):
        await once("ada", _failing(WorkflowQueryFailedError("no such query")))


async def _failing(error: Exception) -> None:
    raise error


async def _task(client: Client, queue: TaskQueue) -> PollWorkflowTaskQueueResponse:
    polling = PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=queue)
    return await client.workflow_service.poll_workflow_task_queue(polling, timeout=timedelta(seconds=20), retry=True)


async def _complete(client: Client, task: PollWorkflowTaskQueueResponse, *commands: Command) -> None:
    done = RespondWorkflowTaskCompletedRequest(
        namespace=client.namespace, task_token=task.task_token, commands=commands
    )
    await client.workflow_service.respond_workflow_task_completed(done, retry=True)
