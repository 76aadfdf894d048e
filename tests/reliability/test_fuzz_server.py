"""Malformed input at a real server: no workflow task fails, every agent still answers, what is bad is named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    QueryWorkflowRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from aos.names import AGENT_WORKFLOW, TASK_QUEUE, agent_workflow_id
from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal
from engine.engine import Engine, running_engine
from engine.tools import workshop
from fuzzing.mutation import Mutator
from fuzzing.samples import CHANGES, EVENTS, LOOKUPS, MESSAGES, SPECS

_ACCEPTED = UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED

MODEL = "scripted:echo"
AGENTS = 20
BATCHES = 4
"""Tests among which agents and calls are divided, so that several processes can run them."""

AT_ONCE = 24
LARGEST = 1_900_000
SIGNALS = ("send", "send", "send", "event", "stop", "pause", "resume", "shout", "Send", "é" * 50)
QUERIES = ("replies", "replies", "status", "spec", "inbox", "mood", "__temporal_workflow_metadata")
ENCODINGS = (b"json/plain",) * 12 + (b"json/protobuf", b"binary/null", b"binary/encrypted", b"", b"\xff\xfe")


@pytest_asyncio.fixture(loop_scope="session")
async def engine(temporal: WorkflowEnvironment, tmp_path: Path) -> AsyncGenerator[Engine]:
    async with running_engine(temporal.client, tmp_path, apps=[workshop]) as engine:
        yield engine


class Sender:
    """Sends what is malformed, as any client of Temporal's could."""

    def __init__(self, engine: Engine, names: Sequence[str], seed: int) -> None:
        self._engine = engine
        self._names = names
        self._seed = seed
        self._service = engine.temporal.workflow_service
        self.refused = 0
        self.started: list[str] = []

    async def one(self, number: int) -> None:
        """Send number `number` of the seed, whatever it is."""
        chance = Random(f"{self._seed}/server/{number}")
        name = chance.choice(self._names)
        draw = chance.random()
        send = (
            self._start if draw < 0.06 else self._query if draw < 0.25 else self._update if draw < 0.4 else self._signal
        )
        try:
            await send(chance, name)
        except RPCError:
            self.refused += 1  # By the server, or by the workflow through it.

    def payloads(self, chance: Random, samples: Sequence[dict[str, Any]]) -> Payloads:
        """Return malformed arguments, of any number."""
        mutator = Mutator(chance)
        count = chance.choice((1, 1, 1, 1, 1, 1, 0, 2, 3))
        found = [mutator.payload(chance.choice(samples))[:LARGEST] for _ in range(count)]
        return Payloads(
            payloads=[Payload(metadata={"encoding": chance.choice(ENCODINGS)}, data=each) for each in found]
        )

    async def _signal(self, chance: Random, name: str) -> None:
        signal = chance.choice(SIGNALS)
        arguments = self.payloads(chance, EVENTS if signal == "event" else MESSAGES)
        if signal == "stop":
            # A good one would end the agent.
            arguments = Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=b'{"when": 5}')])
        elif signal == "pause" and len(arguments.payloads) < 2:
            signal = "resume"
        data = [payload.data for payload in arguments.payloads]
        encoding = chance.choice(ENCODINGS).decode(errors="replace")
        await self._engine.signal_bytes(name, signal, *data, encoding=encoding)

    async def _update(self, chance: Random, name: str) -> None:
        update = chance.choice(("ask", "configure", "shout"))
        arguments = self.payloads(chance, CHANGES if update == "configure" else MESSAGES)
        await self._service.update_workflow_execution(
            UpdateWorkflowExecutionRequest(
                namespace=self._engine.temporal.namespace,
                workflow_execution=WorkflowExecution(workflow_id=agent_workflow_id(name)),
                wait_policy=WaitPolicy(lifecycle_stage=_ACCEPTED),
                request=Request(meta=Meta(update_id=str(uuid4())), input=Input(name=update, args=arguments)),
            )
        )

    async def _query(self, chance: Random, name: str) -> None:
        arguments = self.payloads(chance, LOOKUPS)
        query = WorkflowQuery(query_type=chance.choice(QUERIES), query_args=arguments)
        await self._service.query_workflow(
            QueryWorkflowRequest(
                namespace=self._engine.temporal.namespace,
                execution=WorkflowExecution(workflow_id=agent_workflow_id(name)),
                query=query,
            )
        )

    async def _start(self, chance: Random, name: str) -> None:
        name = self._engine.name()
        samples: list[dict[str, Any]] = [{**sample, "name": name, "tools": [], "model": MODEL} for sample in SPECS]
        await start(self._engine, name, self.payloads(chance, samples))
        self.started.append(name)


async def start(engine: Engine, name: str, arguments: Payloads) -> None:
    """Start the workflow of an agent with any payloads."""
    await engine.temporal.workflow_service.start_workflow_execution(
        StartWorkflowExecutionRequest(
            namespace=engine.temporal.namespace,
            workflow_id=agent_workflow_id(name),
            workflow_type=WorkflowType(name=AGENT_WORKFLOW),
            task_queue=TaskQueue(name=TASK_QUEUE),
            input=arguments,
            request_id=str(uuid4()),
        ),
        retry=True,
    )


async def sane(engine: Engine, name: str) -> None:
    """Check that an agent lives and answers, and that it was never stuck."""
    try:
        async with asyncio.timeout(40):
            # What was changed on the way is changed back, so that there is an answer.
            await engine.client.configure(name, {"model": MODEL, "output_schema": None, "max_steps": 20})
            await engine.client.resume(name)
            assert await engine.ask(name, "Are you there?", mode="interrupt", priority=1)
    except TimeoutError:
        raise AssertionError(f"{name} is stuck: {await engine.failed_tasks(name)}") from None
    assert await engine.failed_tasks(name) == []


async def sane_or_refused(engine: Engine, name: str) -> None:
    """Check the same of one whose spec was malformed, unless it was refused by name."""
    status = (await engine.handle(name).describe()).status
    if status == WorkflowExecutionStatus.RUNNING:
        await sane(engine, name)
        return
    with pytest.raises(WorkflowFailureError) as failed:
        await engine.handle(name).result()
    assert isinstance(failed.value.cause, ApplicationError), failed.value.cause
    assert failed.value.cause.type == "InvalidInput"
    assert await engine.failed_tasks(name) == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("batch", range(BATCHES))
async def test_after_thousands_of_malformed_calls_every_agent_answers_and_no_task_has_failed(
    engine: Engine, batch: int, seed: int, long_form: bool
) -> None:
    triggers = [{"type": "event", "event": "ship.*", "text": "Look."}]
    names = [await engine.start(triggers=triggers, model=MODEL, rollover_events=400) for _ in range(AGENTS // BATCHES)]
    sender = Sender(engine, names, seed)
    calls = (25_000 if long_form else 5_000) // BATCHES
    await _all_of(range(batch * calls, (batch + 1) * calls), sender.one)
    try:
        await _all_of(names, lambda name: sane(engine, name))
        await _all_of(sender.started, lambda name: sane_or_refused(engine, name))
    except AssertionError as error:
        raise AssertionError(f"run again with --seed {seed}: {error}") from None
    assert sender.refused > 25
    letters = [(await engine.client.dead_letters(name)).count for name in names]
    assert min(letters) > 10


async def _all_of(items: Sequence[Any], work: Callable[[Any], Awaitable[None]]) -> None:
    left = iter(items)

    async def lane() -> None:
        for item in left:
            await work(item)

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))


TWO = [b'{"name": "NAME"}', b'{"name": "NAME"}']


@pytest.mark.parametrize(
    "given",
    [TWO, [TWO[0], b"{"], [b"\xff", b"\xff"], [*TWO, *TWO], [b"", b""]],
    ids=["two", "one broken", "no text", "four", "empty"],
)
async def test_a_workflow_started_with_several_arguments_fails_by_name(engine: Engine, given: list[bytes]) -> None:
    name = engine.name()
    metadata = {"encoding": b"json/plain"}
    payloads = [Payload(metadata=metadata, data=each.replace(b"NAME", name.encode())) for each in given]
    await start(engine, name, Payloads(payloads=payloads))
    with pytest.raises(WorkflowFailureError) as failed:
        await engine.handle(name).result()
    assert f"it takes one JSON object, {len(given)} arguments were given" in str(failed.value.cause)
    assert await engine.failed_tasks(name) == []


async def test_a_value_nested_as_deeply_as_may_be_outlasts_a_rollover(engine: Engine) -> None:
    ada = await engine.start(rollover_events=50)
    deep = '{"not": ' * 126 + "true" + "}" * 126
    await engine.client.pause(ada)
    await engine.signal_bytes(ada, "send", b'{"text": "x", "output_schema": ' + deep.encode() + b"}")
    for _ in range(30):
        await engine.client.pause(ada)
    await engine.until(lambda: engine.client.status(ada), lambda status: status.rollovers > 0)
    assert (await engine.client.status(ada)).waiting == 1
    assert await engine.failed_tasks(ada) == []


async def test_an_event_that_grows_in_the_telling_is_a_dead_letter(engine: Engine) -> None:
    ada = await engine.start(triggers=[{"type": "event", "event": "*"}])
    for data in (b'["",' + b'"",' * 230_000 + b'""]', b'"' + b"\\\\" * 300_000 + b'"'):
        await engine.signal_bytes(ada, "event", b'{"type": "a", "data": ' + data + b"}")
        await engine.client.status(ada)
    assert await engine.ask(ada, "hello") == "echo: hello"
    letters = (await engine.client.dead_letters(ada)).letters
    assert ["limit is 1048576" in letter.reason for letter in letters] == [True, True]
    assert await engine.failed_tasks(ada) == []


@pytest.mark.timeout(300)
async def test_malformed_json_at_temporals_own_command_line_leaves_an_agent_well(
    engine: Engine, seed: int, long_form: bool
) -> None:
    ada = await engine.start(model=MODEL)
    binary = str(find_temporal(cache_folder(), lambda line: None))
    address = engine.temporal.service_client.config.target_host

    async def run(number: int) -> None:
        chance = Random(f"{seed}/command/{number}")
        data = Mutator(chance).payload(chance.choice(MESSAGES))[:100_000].replace(b"\0", b"")
        many = ["--input", data] * chance.choice((1, 1, 2))
        kind = ["signal"] if chance.random() < 0.5 else ["update", "execute"]
        process = await asyncio.create_subprocess_exec(
            *(binary, "workflow", *kind, "--address", address, "--workflow-id", agent_workflow_id(ada)),
            *("--name", "send" if kind == ["signal"] else "ask", *many),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await process.wait()

    lanes = asyncio.Semaphore(4)

    async def one(number: int) -> None:
        async with lanes:
            await run(number)

    await asyncio.gather(*(one(number) for number in range(250 if long_form else 50)))
    await sane(engine, ada)
    assert json.loads((await engine.client.status(ada)).model_dump_json())["handled"] >= 1
