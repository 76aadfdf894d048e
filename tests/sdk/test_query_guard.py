"""A query that comes late leaves a workflow as its history says: on a real server, with the activity done by hand."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueRequest, RespondActivityTaskCompletedRequest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from aos.connection import retrying
from aos.plugin import AosPlugin
from aos.query_guard import ASK_AGAIN, QueryGuard
from chaos.endless import OneAfterTheOther

_SECOND = timedelta(seconds=1)


def _worker(client: Client, queue: str) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=[OneAfterTheOther],
        sticky_queue_schedule_to_start_timeout=_SECOND,
        no_remote_activities=True,
    )


def test_a_worker_that_catches_up_with_what_others_did_is_not_sure_any_more() -> None:
    guard = QueryGuard()
    own = [_activation(3), _activation(9), _activation(9, query=True), _activation(15)]
    assert [guard.refusal(act) for act in own] == [None] * 4
    others = [_activation(40, replaying=True), _activation(61, replaying=True)]
    assert [guard.refusal(act) for act in others] == [None] * 2
    assert guard.refusal(_activation(66)) is None
    refused = guard.refusal(_activation(66, query=True))
    assert refused is not None
    assert refused.failed.failure.message == ASK_AGAIN


def test_a_worker_that_went_on_after_it_caught_up_is_sure_again() -> None:
    guard = QueryGuard()
    acts = [_activation(40, replaying=True), _activation(46), _activation(52), _activation(52, query=True)]
    assert [guard.refusal(act) for act in acts] == [None] * 4


def _activation(length: int, *, replaying: bool = False, query: bool = False) -> WorkflowActivation:
    act = WorkflowActivation(history_length=length, is_replaying=replaying)
    if query:
        act.jobs.add().query_workflow.query_id = "legacy_query"
    return act


@pytest.mark.timeout(120)
async def test_a_query_that_waited_while_no_worker_was_there_leaves_a_history_that_can_be_replayed(
    temporal: WorkflowEnvironment,
) -> None:
    # Whether the server hands out the query or the task first is chance.
    await asyncio.gather(*(_query_that_waits(temporal.client) for _ in range(6)))


async def _query_that_waits(client: Client) -> None:
    queue = f"late-query-{uuid4().hex}"
    by_hand = TaskQueue(name=f"{queue}-by-hand")
    polling = PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=by_hand)
    async with _worker(client, queue):
        handle = await client.start_workflow(OneAfterTheOther.run, id=queue, task_queue=queue)
        task = await client.workflow_service.poll_activity_task_queue(polling, timeout=20 * _SECOND)
    look = asyncio.create_task(retrying("late", lambda: handle.query(OneAfterTheOther.look, rpc_timeout=10 * _SECOND)))
    # By then the query waits in the queue that every worker asks, and no longer in that of the worker that ended.
    await asyncio.sleep(2.5)
    done = RespondActivityTaskCompletedRequest(namespace=client.namespace, task_token=task.task_token)
    await client.workflow_service.respond_activity_task_completed(done)
    taking = handle.execute_update(OneAfterTheOther.take, rpc_timeout=20 * _SECOND)  # pyright: ignore[reportUnknownMemberType] - the SDK's
    take = asyncio.create_task(taking)
    async with _worker(client, queue):
        assert await look == 1
        assert await take == 1
    history = await handle.fetch_history()
    await handle.terminate()
    await Replayer(workflows=[OneAfterTheOther], plugins=[AosPlugin()]).replay_workflow(history)
