"""A query that comes late leaves a workflow as its history says: on a real server, with the activity done by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RespondActivityTaskCompletedRequest,
)
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowHandle
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


def test_a_query_is_refused_where_events_came_that_no_task_took_in() -> None:
    guard = QueryGuard(lambda run_id, started: started < 21)
    acts = (_activation(3, 324), _activation(9, 857), _query(9, 857), _activation(15, 1_400), _query(15, 1_400))
    assert not any(_refused(guard, acts))
    assert _refused(guard, (_activation(21, 1_400), _query(21, 1_400))) == [False, True]


def test_a_query_is_answered_after_the_task_that_took_everything_in() -> None:
    guard = QueryGuard(lambda run_id, started: True)
    acts = [_activation(3, 324), _activation(8, 324), _activation(14, 1_100), _activation(14, 1_100), _query(14, 1_100)]
    assert not any(_refused(guard, acts))


def test_events_in_which_nothing_came_for_the_workflow_bring_it_nowhere() -> None:
    guard = QueryGuard(lambda run_id, started: False)
    assert not any(_refused(guard, (_activation(21, 857, replaying=True), _query(25, 857))))


def test_every_query_is_answered_where_the_server_does_not_tell_the_size() -> None:
    guard = QueryGuard(lambda run_id, started: True)
    assert not any(_refused(guard, (_activation(3, 0), _activation(9, 0), _query(9, 0))))


def test_a_query_is_refused_after_a_task_that_the_server_does_not_have_and_answered_when_all_was_replayed() -> None:
    guard = QueryGuard(lambda run_id, started: started == 3)
    acts = (_activation(3, 324), _query(3, 324), _activation(9, 857), _query(9, 857))
    assert _refused(guard, acts) == [False, False, False, True]
    replayed = QueryGuard(lambda run_id, started: False)
    assert not any(_refused(replayed, (_activation(9, 857, replaying=True), _query(9, 857))))


def test_every_query_of_a_run_that_has_ended_is_answered() -> None:
    guard = QueryGuard(lambda run_id, started: True)
    acts = [_activation(9, 857, replaying=True), _activation(14, 857, replaying=True), _query(14, 857), _query(14, 857)]
    assert not any(_refused(guard, acts))


def test_the_server_is_asked_once_about_a_task() -> None:
    asked: list[int] = []

    def completed(run_id: str, started: int) -> bool:
        asked.append(started)
        return True

    guard = QueryGuard(completed)
    acts = [_activation(3, 324), _query(3, 324), _query(3, 324), _activation(9, 857), _query(9, 857), _query(9, 857)]
    assert not any(_refused(guard, acts))
    assert asked == [3, 9]


def test_a_task_that_only_refused_updates_leaves_the_workflow_where_it_was() -> None:
    guard = QueryGuard(lambda run_id, started: started == 9)
    acts = [_activation(9, 857), _update(11, 1_100), _query(9, 1_100)]
    assert not any(_refused(guard, acts))
    # Of the task that was dropped the events' numbers are given again; what no task took in is known all the same.
    assert _refused(guard, (_activation(11, 1_100), _query(11, 1_100))) == [False, True]


def test_a_query_is_refused_where_the_server_does_not_have_the_task_that_took_an_update_in() -> None:
    guard = QueryGuard(lambda run_id, started: started == 9)
    acts = (_activation(9, 857), _update(11, 1_100, accepted=True), _query(9, 1_100))
    assert _refused(guard, acts) == [False, False, True]


Act = tuple[WorkflowActivation, WorkflowActivationCompletion]


def _refused(guard: QueryGuard, acts: Iterable[Act]) -> list[bool]:
    """Have a guard see what came, and what the workflow answered; which of it did it refuse?"""
    refused: list[bool] = []
    for act, completion in acts:
        refusal = guard.refusal(act)
        refused.append(refusal is not None)
        if refusal is None:
            guard.take_note(act, completion)
        else:
            assert refusal.failed.failure.message == ASK_AGAIN
    return refused


def _activation(length: int, size: int, *, replaying: bool = False) -> Act:
    act = WorkflowActivation(history_length=length, history_size_bytes=size, is_replaying=replaying)
    act.jobs.add().signal_workflow.signal_name = "send"
    return act, WorkflowActivationCompletion()


def _update(length: int, size: int, *, accepted: bool = False) -> Act:
    act = WorkflowActivation(history_length=length, history_size_bytes=size)
    act.jobs.add().do_update.name = "ask"
    completion = WorkflowActivationCompletion()
    response = completion.successful.commands.add().update_response
    if accepted:
        response.accepted.SetInParent()
    else:
        response.rejected.message = "text: this field is required"
    return act, completion


def _query(length: int, size: int) -> Act:
    act = WorkflowActivation(history_length=length, history_size_bytes=size, is_replaying=True)
    act.jobs.add().query_workflow.query_id = "legacy_query"
    return act, WorkflowActivationCompletion()


@pytest.mark.timeout(120)
async def test_a_query_that_waited_while_no_worker_was_there_leaves_a_history_that_can_be_replayed(
    temporal: WorkflowEnvironment,
) -> None:
    # Whether the server hands out the query or the task first is chance.
    await asyncio.gather(*(_query_that_waits(temporal.client) for _ in range(6)))


async def _query_that_waits(client: Client) -> None:
    queue = f"late-query-{uuid4().hex}"
    handle, looks = await _asked_without_a_worker(client, queue, looks=1)
    await _goes_on(client, queue, handle, looks)


Handle = WorkflowHandle[OneAfterTheOther, None]


async def _asked_without_a_worker(
    client: Client, queue: str, *, looks: int, task_timeout: timedelta | None = None
) -> tuple[Handle, list[asyncio.Task[int]]]:
    """Return a workflow whose worker is gone, which has a task to do, and queries that waited before it came."""
    polling = PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=f"{queue}-by-hand"))
    async with _worker(client, queue):
        handle = await client.start_workflow(
            OneAfterTheOther.run, id=queue, task_queue=queue, task_timeout=task_timeout
        )
        task = await client.workflow_service.poll_activity_task_queue(polling, timeout=20 * _SECOND, retry=True)

    async def look() -> int:
        return await retrying(queue, lambda: handle.query(OneAfterTheOther.look, rpc_timeout=10 * _SECOND))

    asked = [asyncio.create_task(look()) for _ in range(looks)]
    # By then the queries wait in the queue that every worker asks, and no longer in that of the worker that ended.
    await asyncio.sleep(2.5)
    done = RespondActivityTaskCompletedRequest(namespace=client.namespace, task_token=task.task_token)
    await client.workflow_service.respond_activity_task_completed(done, retry=True)
    return handle, asked


async def _goes_on(client: Client, queue: str, handle: Handle, looks: list[asyncio.Task[int]]) -> None:
    """Check that a worker answers everything, and leaves a history that can be replayed."""
    taking = handle.execute_update(OneAfterTheOther.take, rpc_timeout=20 * _SECOND)  # pyright: ignore[reportUnknownMemberType] - the SDK's
    take = asyncio.create_task(taking)
    async with _worker(client, queue):
        assert await take == 1
        assert await asyncio.gather(*looks) == [1] * len(looks)
    history = await handle.fetch_history()
    await handle.terminate()
    await Replayer(workflows=[OneAfterTheOther], plugins=[AosPlugin()]).replay_workflow(history)


@pytest.mark.timeout(120)
async def test_a_query_that_comes_while_a_killed_worker_holds_the_task_leaves_a_history_that_can_be_replayed(
    temporal: WorkflowEnvironment,
) -> None:
    # Whether a query is left for the worker is chance, too.
    await asyncio.gather(*(_query_beside_a_held_task(temporal.client) for _ in range(4)))


async def _query_beside_a_held_task(client: Client) -> None:
    queue = f"held-task-{uuid4().hex}"
    handle, looks = await _asked_without_a_worker(client, queue, looks=4, task_timeout=2 * _SECOND)
    await _hold_the_task(client, queue)
    await _goes_on(client, queue, handle, looks)


async def _hold_the_task(client: Client, queue: str) -> None:
    """Take the workflow's task, and what queries come before it, as a worker does that is killed then."""
    polling = PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue))
    while (await client.workflow_service.poll_workflow_task_queue(polling, timeout=20 * _SECOND, retry=True)).HasField(
        "query"
    ):
        pass


async def test_a_workflow_that_was_terminated_with_something_unread_can_still_be_asked(
    temporal: WorkflowEnvironment,
) -> None:
    queue = f"ended-{uuid4().hex}"
    async with _worker(temporal.client, queue):
        handle = await temporal.client.start_workflow(OneAfterTheOther.run, id=queue, task_queue=queue)
        assert await retrying("ended", lambda: handle.query(OneAfterTheOther.look)) == 1
    await handle.signal("nobody reads this")
    await handle.terminate()
    async with _worker(temporal.client, queue):
        assert await retrying("ended", lambda: handle.query(OneAfterTheOther.look, rpc_timeout=20 * _SECOND)) == 1
