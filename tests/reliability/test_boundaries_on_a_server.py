"""The limits of a real server, and those of AOS that keep clear of them: whatever is sent, the agent answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from aos.client import AosClient
from aos.conversation import ToolItem
from aos.errors import InvalidInput, MessageFailed
from aos.limits import MESSAGE_BYTES, REPLY_INLINE_BYTES, SPEC_BYTES
from aos.message import Event, Message
from aos.provider import ModelRequest, ModelResponse
from aos.testing import calls, last_text
from aos_workers.temporal.server import DYNAMIC_CONFIG
from aos_workflows.agent import WAITING_ASKS
from aos_workflows.dead import DEAD_LETTERS_KEPT
from boundaries.server import a_server
from engine.engine import Engine, running_engine
from engine.scripts import Held

_log = logging.getLogger(__name__)

PAYLOAD, GRPC = 2 * 1024 * 1024, 4 * 1024 * 1024
"""Largest payload and largest call that Temporal takes, in bytes; both have an envelope around what is sent."""

SIGNALS, UPDATES, IN_FLIGHT, SUGGESTED = 100, 20, 3, 50
LOW = {
    **DYNAMIC_CONFIG,
    "history.maximumSignalsPerExecution": str(SIGNALS),
    "history.maxTotalUpdates": str(UPDATES),
    "history.maxInFlightUpdates": str(IN_FLIGHT),
    "limit.historyCount.suggestContinueAsNew": str(SUGGESTED),
    "history.workflowIdReuseMinimalInterval": '"0s"',
}
"""Temporal's limits of a run, scaled down for them to be reached soon: 10,000, 2,000, 10 and 4,096."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def workers(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Engine]:
    async with running_engine(temporal.client, tmp_path_factory.mktemp("boundaries")) as engine:
        yield engine


@pytest_asyncio.fixture(loop_scope="session")
async def engine(temporal: WorkflowEnvironment, workers: Engine) -> AsyncGenerator[Engine]:
    yield workers
    await workers.end_all()


def message_json(size: int) -> bytes:
    return b'{"text":"%s"}' % (b"x" * (size - len(b'{"text":""}')))


SENT = [
    (MESSAGE_BYTES - 1, "handled"),
    (MESSAGE_BYTES, "handled"),
    (MESSAGE_BYTES + 1, "dead letter"),
    (PAYLOAD - 64, "dead letter"),
    (PAYLOAD, "refused by the server"),
    (GRPC + 1, "refused by the server"),
]


@pytest.mark.parametrize(("size", "outcome"), SENT)
async def test_a_signal_of_any_size_leaves_the_agent_well(engine: Engine, size: int, outcome: str) -> None:
    ada = await engine.start(lambda request: str(len(last_text(request))), context_tokens=1_000_000)
    if outcome == "refused by the server":
        with pytest.raises(RPCError):
            await engine.signal_bytes(ada, "send", message_json(size))
    else:
        await engine.signal_bytes(ada, "send", message_json(size))
    assert await engine.ask(ada, "hello") == "5"
    status = await engine.client.status(ada)
    assert (status.handled, status.dead_letters) == (1 + (outcome == "handled"), int(outcome == "dead letter"))
    if status.dead_letters:
        assert f"the limit is {MESSAGE_BYTES}" in (await engine.client.dead_letters(ada)).letters[0].reason
    assert await engine.failed_tasks(ada) == []


@pytest.mark.parametrize("size", [MESSAGE_BYTES + 1, PAYLOAD + 1, GRPC + 1])
async def test_what_is_too_long_is_refused_before_it_is_sent(engine: Engine, size: int) -> None:
    ada = await engine.start()
    long, client = "x" * size, engine.client
    for sending in (
        client.send(ada, long),
        client.ask(ada, long),
        client.tell_event(ada, Event(type="news", data=long)),
        client.configure(ada, {"triggers": [{"type": "event", "event": "news", "text": long}]}),
        client.start({"name": engine.name(), "triggers": [{"type": "event", "event": "news", "text": long}]}),
    ):
        with pytest.raises(InvalidInput, match="the limit is"):
            await sending
    assert await engine.ask(ada, "hello") == "echo: hello"


@pytest.mark.parametrize("size", [200, 201, 1000])
async def test_a_message_named_by_the_longest_update_id_crosses_a_rollover(engine: Engine, size: int) -> None:
    held = Held(on="now")
    ada = await engine.start(held, rollover_events=50)
    working = asyncio.create_task(engine.ask(ada, "now"))
    await held.reached.wait()
    asked = {"text": "later", "wait": False}
    accepted = await engine.handle(ada).start_update(  # pyright: ignore[reportUnknownMemberType] - the SDK's
        "ask", asked, id="u" * size, wait_for_stage=WorkflowUpdateStage.COMPLETED
    )
    for number in range(50):
        await engine.send(ada, f"fill {number}")
    held.let_go()
    await working
    await engine.until_handled(ada, 52)
    assert (await engine.client.status(ada)).rollovers >= 1
    assert len((await accepted.result())["id"]) <= 200
    assert await engine.failed_tasks(ada) == []


async def test_an_update_id_beyond_temporal_s_limit_is_refused_by_the_server(engine: Engine) -> None:
    ada = await engine.start()
    with pytest.raises(RPCError):
        await engine.handle(ada).execute_update("ask", {"text": "x"}, id="u" * 1001)  # pyright: ignore[reportUnknownMemberType] - the SDK's
    assert await engine.ask(ada, "hello") == "echo: hello"


async def test_changes_that_add_up_to_more_than_a_spec_are_refused_and_change_nothing(engine: Engine) -> None:
    ada = await engine.start()
    room = SPEC_BYTES - len((await engine.client.spec(ada)).model_dump_json())
    trigger = {"type": "event", "event": "e", "text": "x" * (room - 60_000)}
    before = await engine.client.configure(ada, {"triggers": [trigger]})
    with pytest.raises(InvalidInput, match=f"the limit is {SPEC_BYTES}"):
        await engine.client.configure(ada, {"instructions": "x" * 90_000})
    assert await engine.client.spec(ada) == before
    assert await engine.ask(ada, "hello") == "echo: hello"


@pytest.mark.parametrize("count", [WAITING_ASKS - 1, WAITING_ASKS, WAITING_ASKS + 1])
async def test_asks_beyond_those_that_may_wait_are_accepted_and_answered_later(engine: Engine, count: int) -> None:
    held = Held()
    ada = await engine.start(held)
    asks = [asyncio.create_task(engine.update(ada, "ask", {"text": f"{n}", "id": f"id{n}"})) for n in range(count)]
    await engine.until_waiting(ada, count - 1)
    if count > WAITING_ASKS:
        done, _ = await asyncio.wait(asks, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result()["status"] for task in done] == ["pending"]
    held.let_go()
    await engine.until_handled(ada, count)
    replies = [await engine.client.reply(ada, f"id{number}") for number in range(count)]
    assert [reply and reply.text for reply in replies] == [f"echo: {number}" for number in range(count)]
    statuses = [reply["status"] for reply in await asyncio.gather(*asks)]
    assert statuses.count("pending") == max(0, count - WAITING_ASKS)


@pytest.mark.parametrize("count", [99, 100, 101, 128, 129])
async def test_a_step_has_a_hundred_and_twenty_eight_calls_and_an_agent_a_hundred_timers(
    engine: Engine, count: int
) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        results = [item for item in request.items if isinstance(item, ToolItem)]
        wanted: list[tuple[str, dict[str, object]]] = [
            ("set_timer", {"seconds": 9000 + number, "text": "t"}) for number in range(count)
        ]
        return f"{len(results)}, {sum(item.error for item in results)} refused" if results else calls(*wanted)

    ada = await engine.start(script)
    carried_out = min(count, 128)
    assert await engine.ask(ada, "set") == f"{carried_out}, {max(0, carried_out - 100)} refused"
    assert await engine.failed_tasks(ada) == []


@pytest.mark.parametrize(("steps", "limit"), [(2, 3), (3, 3), (4, 3)])
async def test_a_message_that_needs_more_steps_than_allowed_is_given_up(engine: Engine, steps: int, limit: int) -> None:
    def script(request: ModelRequest) -> ModelResponse | str:
        made = sum(isinstance(item, ToolItem) for item in request.items)
        return "done" if last_text(request) == "hello" or made == steps - 1 else calls(("current_time", {}))

    ada = await engine.start(script, max_steps=limit)
    if steps <= limit:
        assert await engine.ask(ada, "work") == "done"
    else:
        with pytest.raises(MessageFailed, match=f"no answer after {limit} model calls"):
            await engine.ask(ada, "work")
    assert await engine.ask(ada, "hello") == "done"


@pytest.mark.parametrize("size", [REPLY_INLINE_BYTES - 1, REPLY_INLINE_BYTES, REPLY_INLINE_BYTES + 1])
async def test_a_reply_up_to_its_limit_comes_whole_and_a_longer_one_by_reference(engine: Engine, size: int) -> None:
    ada = await engine.start(lambda request: "x" * size)
    reply = await engine.client.ask(ada, Message(text="write"))
    assert (len(reply.text), bool(reply.ref)) == (min(size, REPLY_INLINE_BYTES), size > REPLY_INLINE_BYTES)
    assert (await engine.client.text(reply.ref) if reply.ref else reply.text) == "x" * size


@pytest.mark.parametrize("count", [DEAD_LETTERS_KEPT - 1, DEAD_LETTERS_KEPT, DEAD_LETTERS_KEPT + 1])
async def test_dead_letters_beyond_those_kept_lie_in_the_store_after_a_rollover(engine: Engine, count: int) -> None:
    ada = await engine.start(rollover_events=50)
    await asyncio.gather(*(engine.signal_bytes(ada, "send", b"{") for _ in range(count)))
    while not (await engine.client.status(ada)).rollovers:
        await engine.ask(ada, "go on")
    letters = await engine.client.dead_letters(ada)
    assert (letters.count, len(letters.letters)) == (count, min(count, DEAD_LETTERS_KEPT))
    assert bool(letters.older) == (count > DEAD_LETTERS_KEPT)


async def test_signals_beyond_what_a_run_takes_wait_with_their_sender_until_a_worker_runs(tmp_path: Path) -> None:
    async with a_server(tmp_path, LOW) as temporal:
        client = AosClient(temporal)
        await client.start({"name": "ada", "model": "scripted:ada", "batch": 100})
        await asyncio.gather(*(client.send("ada", Message(text="x", id=f"m{n}")) for n in range(SIGNALS)))
        with pytest.raises(RPCError, match="exceeded workflow execution limit for signal events"):
            await temporal.get_workflow_handle("agent/ada").signal("send", {"text": "one too many"})
        late = asyncio.create_task(client.send("ada", "one too many, from a client that waits"))
        async with running_engine(temporal, tmp_path) as engine:
            await late
            await engine.until_handled("ada", SIGNALS + 1)
            assert await engine.ask("ada", "hello") == "echo: hello"
            assert (await client.status("ada")).handled == SIGNALS + 2
            assert await engine.failed_tasks("ada") == []


async def test_an_agent_takes_more_signals_and_updates_than_one_run_may_have(tmp_path: Path) -> None:
    waves, signals, asks = 3, 40, 8
    async with a_server(tmp_path, LOW) as temporal, running_engine(temporal, tmp_path) as engine:
        ada = await engine.start(batch=100, rollover_events=20_000)
        for wave in range(1, waves + 1):
            sends = asyncio.gather(*(engine.send(ada, f"m{number}") for number in range(signals)))
            asked = await asyncio.gather(*(engine.ask(ada, f"ask {number}") for number in range(asks)))
            assert asked == [f"echo: ask {number}" for number in range(asks)]
            await sends
            await engine.until_handled(ada, wave * (signals + asks))
        status = await engine.client.status(ada)
        assert (status.handled, status.failed, status.dead_letters) == (waves * (signals + asks), 0, 0)
        runs = [await engine.events(ada, run_id) for run_id in await engine.runs(ada)]
        kinds = [[event.event_type for event in events] for events in runs]
        assert all(run.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) <= SIGNALS for run in kinds)
        assert all(run.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) <= UPDATES for run in kinds)
        assert len(runs) >= waves
        assert await engine.failed_tasks(ada) == []


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("count", "asked"), [(10_500, False), (2_050, True)], ids=["signals", "updates"])
async def test_more_than_a_run_may_have_comes_during_one_model_call_and_all_is_taken(
    tmp_path: Path, long_form: bool, count: int, asked: bool
) -> None:
    if not long_form:
        pytest.skip("only in the long form: it sends thousands of messages at Temporal's own limits")
    async with a_server(tmp_path, DYNAMIC_CONFIG) as temporal, running_engine(temporal, tmp_path) as engine:
        held = Held(on="begin")
        ada = await engine.start(held, batch=100)
        working = asyncio.create_task(engine.ask(ada, "begin"))
        await held.reached.wait()
        for begin in range(0, count, 500):
            numbers = range(begin, min(begin + 500, count))
            given = [Message(text=f"m{number}", wait=False) for number in numbers]
            deliver = engine.client.ask if asked else engine.client.send
            await asyncio.gather(*(deliver(ada, message) for message in given))
            _log.info("%s of %s messages are accepted", numbers.stop, count)
        assert (await engine.client.status(ada)).rollovers >= 1, "a rollover does not wait for the model"
        held.let_go()
        assert await working == "echo: begin"
        async with asyncio.timeout(600):
            while (handled := (await engine.client.status(ada)).handled) < count + 1:
                _log.info("%s of %s messages are handled", handled, count)
                await asyncio.sleep(2)
        assert handled == count + 1
        assert await engine.failed_tasks(ada) == []


async def test_an_update_that_is_too_long_is_refused_to_its_sender(engine: Engine) -> None:
    ada = await engine.start()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await engine.update(ada, "ask", {"text": "x" * MESSAGE_BYTES})
    assert f"the limit is {MESSAGE_BYTES}" in str(refused.value.__cause__)
    assert (await engine.client.status(ada)).dead_letters == 0
    assert await engine.ask(ada, "hello") == "echo: hello"
