from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
import traceback
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel
from structlog.testing import capture_logs
from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from aos.errors import InvalidTool, RetryableError, TerminalError
from aos.limits import RESULT_INLINE_BYTES
from aos.tool_contracts import ToolOutcome, ToolRequest
from aos.tools import Tool, current_call, tool
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.tool_results import RESULT_BYTES
from aos_activities.tools import DescribeTools, ToolHost


class Order(BaseModel):
    number: int
    note: str = ""


class Harbour:
    def __repr__(self) -> str:
        return "<the harbour>"


@tool
async def find_order(number: int) -> Order:
    """Find an order."""
    return Order(number=number)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteBlobStore]:
    opened = SqliteBlobStore(tmp_path / "blobs.db")
    yield opened
    await opened.aclose()


class Bench:
    """A host of some tools, and attempts of calls of them."""

    def __init__(self, tools: Sequence[Tool], store: SqliteBlobStore) -> None:
        self.host = ToolHost(tools, "aos-shop", store)

    def environment(self, attempt: int = 1, policy: RetryPolicy | None = None) -> ActivityEnvironment:
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, attempt=attempt, retry_policy=policy)
        return environment

    async def run(
        self, name: str, attempt: int = 1, policy: RetryPolicy | None = None, **arguments: Any
    ) -> ToolOutcome:
        return await self.environment(attempt, policy).run(self.host.run_tool, request(name, **arguments))


def request(name: str, **arguments: Any) -> ToolRequest:
    return ToolRequest(
        tool=name,
        key="life/1/2/0",
        arguments=arguments,
        agent="ada",
        message_id="m1",
        conversation="c" * 64,
        causation=["m0"],
    )


async def test_tools_are_described_in_the_order_asked_for(store: SqliteBlobStore) -> None:
    bench = Bench([find_order, tool(name="other")(lambda: 1)], store)
    described = await bench.environment().run(bench.host.describe_tools, DescribeTools(names=["other", "find_order"]))
    assert [each.definition.name for each in described] == ["other", "find_order"]
    assert {each.policy.queue for each in described} == {"aos-shop"}


async def test_unknown_tools_are_named_with_those_that_may_be_meant(store: SqliteBlobStore) -> None:
    bench = Bench([find_order], store)
    with pytest.raises(ApplicationError, match="did you mean find_order") as caught:
        await bench.environment().run(
            bench.host.describe_tools, DescribeTools(names=["find_order", "find_ordr", "zzz"])
        )
    assert caught.value.type == "UnknownTool"
    assert caught.value.non_retryable
    assert "'zzz'" in str(caught.value)


async def test_two_tools_of_one_name_cannot_be_served(store: SqliteBlobStore) -> None:
    with pytest.raises(InvalidTool):
        Bench([find_order, find_order], store)


async def test_a_call_of_a_tool_that_this_worker_lacks_is_left_to_another_until_the_last_attempt(
    store: SqliteBlobStore,
) -> None:
    bench, policy = Bench([find_order], store), RetryPolicy(maximum_attempts=2)
    with pytest.raises(ApplicationError) as caught:
        await bench.run("find_ordr", 1, policy)
    assert not caught.value.non_retryable
    outcome = await bench.run("find_ordr", 2, policy)
    assert outcome.error
    assert "did you mean find_order" in outcome.text


async def test_an_async_tool_answers_with_its_result_as_json(store: SqliteBlobStore) -> None:
    outcome = await Bench([find_order], store).run("find_order", number="7")
    assert outcome == ToolOutcome(text='{"number":7,"note":""}')


async def test_a_sync_tool_runs_in_a_thread_and_knows_its_call(store: SqliteBlobStore) -> None:
    @tool
    def who() -> list[object]:
        call = current_call()
        in_thread = threading.current_thread() is not threading.main_thread()
        return [
            call.key,
            call.agent,
            call.message_id,
            call.attempt,
            call.conversation,
            call.causation,
            in_thread,
            activity.info().attempt,
        ]

    outcome = await Bench([who], store).run("who", attempt=2)
    assert json.loads(outcome.text) == ["life/1/2/0", "ada", "m1", 2, "c" * 64, ["m0"], True, 2]


async def test_a_decorated_async_tool_is_awaited(store: SqliteBlobStore) -> None:
    def later() -> asyncio.Future[str]:
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        ended.get_loop().call_soon(ended.set_result, "later")
        return ended

    async def wrapped() -> str:
        return await later()

    outcome = await Bench([tool(name="wrapped")(wrapped)], store).run("wrapped")
    assert outcome.text == "later"


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (None, "null"),
        ({"a": [1, 2.5, None]}, '{"a":[1,2.5,null]}'),
        (b"\xff\x00", '"_wA="'),
        (float("nan"), '"NaN"'),
        (Harbour(), '"<the harbour>"'),
        ("half a pair \ud800", "half a pair ?"),
    ],
)
async def test_any_result_becomes_text(store: SqliteBlobStore, result: object, text: str) -> None:
    outcome = await Bench([tool(name="give")(lambda: result)], store).run("give")
    assert outcome == ToolOutcome(text=text)


async def test_a_result_that_is_no_json_at_all_is_an_error(store: SqliteBlobStore) -> None:
    endless: list[object] = []
    endless.append(endless)
    outcome = await Bench([tool(name="give", attempts=1)(lambda: endless)], store).run("give")
    assert outcome.error
    assert outcome.text.startswith("PydanticSerializationError: ")


@pytest.mark.parametrize("size", [RESULT_INLINE_BYTES + 1, 10 * 1024 * 1024])
async def test_a_long_result_goes_to_the_store_and_its_start_is_shown(store: SqliteBlobStore, size: int) -> None:
    text = "ä" * (size // 2) + "!"
    outcome = await Bench([tool(name="give")(lambda: text)], store).run("give")
    assert (await store.load(outcome.ref)).decode() == text
    assert outcome.size == len(text.encode())
    assert outcome.text == "ä" * (RESULT_INLINE_BYTES // 2)
    assert not outcome.error


async def test_a_result_at_the_limit_travels_whole(store: SqliteBlobStore) -> None:
    outcome = await Bench([tool(name="give")(lambda: "x" * RESULT_INLINE_BYTES)], store).run("give")
    assert outcome == ToolOutcome(text="x" * RESULT_INLINE_BYTES)


async def test_a_result_that_is_too_large_to_keep_is_an_error(store: SqliteBlobStore) -> None:
    outcome = await Bench([tool(name="give")(lambda: "x" * (RESULT_BYTES + 1))], store).run("give")
    assert outcome.error
    assert not outcome.ref
    assert str(RESULT_BYTES) in outcome.text


async def test_wrong_arguments_are_named_at_once_and_the_tool_is_not_run(store: SqliteBlobStore) -> None:
    ran = False

    @tool
    def add(a: int, b: int) -> int:
        nonlocal ran
        ran = True
        return a + b

    outcome = await Bench([add], store).run("add", a="x", c=1)
    assert outcome.error
    assert all(f"{name}: " in outcome.text for name in ("a", "b", "c"))
    assert not ran


def failing(error: BaseException, attempts: int = 3) -> Tool:
    @tool(name="fail", attempts=attempts)
    async def fail() -> str:
        raise error

    return fail


async def test_a_terminal_error_is_told_to_the_model_at_the_first_attempt(store: SqliteBlobStore) -> None:
    outcome = await Bench([failing(TerminalError("no such order"))], store).run("fail")
    assert outcome == ToolOutcome(text="no such order", error=True)


async def test_a_retryable_error_is_tried_again_after_the_time_it_names(store: SqliteBlobStore) -> None:
    bench = Bench([failing(RetryableError("busy", retry_after=7.5))], store)
    with pytest.raises(ApplicationError, match="busy") as caught:
        await bench.run("fail", attempt=2)
    assert caught.value.type == "RetryableError"
    assert caught.value.next_retry_delay == timedelta(seconds=7.5)
    assert not caught.value.non_retryable


async def test_a_retryable_error_is_told_to_the_model_at_the_last_attempt(store: SqliteBlobStore) -> None:
    outcome = await Bench([failing(RetryableError("busy"))], store).run("fail", attempt=3)
    assert outcome == ToolOutcome(text="busy", error=True)


async def test_the_workflow_s_retry_policy_decides_too_what_the_last_attempt_is(store: SqliteBlobStore) -> None:
    bench = Bench([failing(RetryableError("busy"), attempts=5)], store)
    assert (await bench.run("fail", 2, RetryPolicy(maximum_attempts=2))).error
    with pytest.raises(ApplicationError):
        await bench.run("fail", 4, RetryPolicy(maximum_attempts=0))


class SecretKeeper(Exception):
    pass


async def test_any_other_error_is_tried_again_and_told_by_its_type_at_last(store: SqliteBlobStore) -> None:
    bench = Bench([failing(SecretKeeper("the shelf is empty"))], store)
    with pytest.raises(ApplicationError) as caught:
        await bench.run("fail")
    assert caught.value.type == "SecretKeeper"
    assert caught.value.next_retry_delay is None
    outcome = await bench.run("fail", attempt=3)
    assert outcome == ToolOutcome(text="SecretKeeper: the shelf is empty", error=True)


async def test_a_failure_is_logged_with_its_traceback_and_without_the_arguments(store: SqliteBlobStore) -> None:
    @tool(attempts=1)
    def log_in(password: str) -> str:
        raise RuntimeError("refused")

    with capture_logs() as logs:
        await Bench([log_in], store).run("log_in", password="hunter2")
    (entry,) = logs
    assert entry["event"] == "tool_failed"
    assert (entry["tool"], entry["agent"], entry["message_id"], entry["attempt"]) == ("log_in", "ada", "m1", 1)
    assert "in log_in" in entry["traceback"]
    assert "hunter2" not in str(entry)


async def test_an_error_of_any_length_fits_into_history(store: SqliteBlobStore) -> None:
    bench = Bench([failing(ValueError("x" * 5_000_000))], store)
    with pytest.raises(ApplicationError) as caught:
        await bench.run("fail")
    assert len("".join(traceback.format_exception(caught.value))) < 10_000
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert len((await bench.run("fail", attempt=3)).text) <= RESULT_INLINE_BYTES


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), StopIteration()])
@pytest.mark.parametrize("in_thread", [False, True])
async def test_what_would_end_the_worker_is_an_error_of_the_tool(
    store: SqliteBlobStore, error: BaseException, in_thread: bool
) -> None:
    def fail_in_thread() -> str:
        raise error

    made = tool(name="fail", attempts=1)(fail_in_thread) if in_thread else failing(error, attempts=1)
    outcome = await Bench([made], store).run("fail")
    assert outcome.error
    assert type(error).__name__ in outcome.text


async def test_an_async_tool_that_takes_too_long_is_ended(store: SqliteBlobStore) -> None:
    ended = asyncio.Event()

    @tool(timeout="20ms", attempts=2)
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    bench = Bench([hang], store)
    with pytest.raises(ApplicationError, match=r"hang took longer than 0\.02 s"):
        await bench.run("hang")
    assert ended.is_set()
    assert await bench.run("hang", attempt=2) == ToolOutcome(text="hang took longer than 0.02 s", error=True)


async def test_a_sync_tool_that_hangs_does_not_hold_up_the_others(store: SqliteBlobStore) -> None:
    release = threading.Event()

    @tool(timeout="20ms", attempts=1)
    def hang() -> None:
        release.wait(30)

    @tool
    def quick() -> str:
        return "done"

    bench = Bench([hang, quick], store)
    outcomes = await asyncio.gather(*(bench.run("hang") for _ in range(40)))
    assert all("took longer" in outcome.text for outcome in outcomes)
    assert (await bench.run("quick")).text == "done"
    release.set()


async def test_a_time_out_of_the_tool_s_own_is_not_taken_for_ours(store: SqliteBlobStore) -> None:
    outcome = await Bench([failing(TimeoutError("the printer"), attempts=1)], store).run("fail")
    assert outcome.text == "TimeoutError: the printer"


async def test_a_cancelled_call_cancels_the_tool(store: SqliteBlobStore) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    @tool
    async def hang() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    bench = Bench([hang], store)
    environment = bench.environment()
    running = asyncio.create_task(environment.run(bench.host.run_tool, request("hang")))
    await started.wait()
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_running_tool_is_heard_of_until_it_ends(store: SqliteBlobStore, in_thread: bool) -> None:
    beats, heard, release = 0, asyncio.Event(), threading.Event()

    def beat(*details: object) -> None:
        nonlocal beats
        beats += 1
        if beats == 3:
            heard.set()
            release.set()

    @tool(name="work")
    async def work() -> str:
        await heard.wait()
        return "done"

    @tool(name="work")
    def work_in_thread() -> str:
        return "done" if release.wait(30) else "not heard of"

    bench = Bench([work_in_thread if in_thread else work], store)
    environment = bench.environment()
    environment.info = dataclasses.replace(environment.info, heartbeat_timeout=timedelta(milliseconds=30))
    environment.on_heartbeat = beat
    outcome = await environment.run(bench.host.run_tool, request("work"))
    assert outcome.text == "done"
    assert beats >= 3
