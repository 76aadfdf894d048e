"""What a client does while it waits for a reply."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, cast

import pytest
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from aos.connection import once, retrying
from aos.delivery import Delivery
from aos.errors import AgentError, AgentNotFound, NotAnswering, NoWorker, Unreachable
from aos.message import Message, Reply

NOBODY_POLLS = RPCError(
    "no poller seen for task queue recently, worker may be down", RPCStatusCode.FAILED_PRECONDITION, b""
)


class Agent:
    """Stands for the handle of an agent whose workers are away for the first two looks."""

    def __init__(self) -> None:
        self.looks: int = 0

    async def execute_update(self, name: str, message: Message, **_: object) -> Reply:
        return Reply(id=message.id, status="pending")

    async def query(self, *_: object, **__: object) -> list[Reply]:
        self.looks += 1
        if self.looks <= 2:
            raise NOBODY_POLLS
        return [Reply(id="m1", status="done", text="here again")]


async def test_who_waits_for_a_reply_goes_on_waiting_while_there_is_no_worker() -> None:
    agent = Agent()
    handle = cast("WorkflowHandle[Any, Any]", agent)
    reply = await Delivery().ask(handle, "ada", Message(text="hello", id="m1"))
    assert (reply.text, agent.looks) == ("here again", 3)


class Asleep:
    """Stands for the handle of an agent that no worker serves: it takes signals, and no update ever ends."""

    def __init__(self) -> None:
        self.asked: list[Message] = []
        self.signalled: list[Message] = []

    async def execute_update(self, name: str, message: Message, **_: object) -> Reply:
        self.asked.append(message)
        await asyncio.Event().wait()
        raise AssertionError

    async def signal(self, name: str, message: Message, **_: object) -> None:
        self.signalled.append(message)


async def test_what_nobody_confirms_is_left_with_the_server_as_the_same_message() -> None:
    agent = Asleep()
    handle = cast("WorkflowHandle[Any, Any]", agent)
    with pytest.raises(NotAnswering, match="the message 'm1' is with it all the same"):
        await Delivery().confirm(handle, "ada", Message(text="hello", id="m1"), patience=0.05)
    (asked,), (signalled,) = agent.asked, agent.signalled
    assert signalled == asked.model_copy(update={"wait": True})
    assert signalled.sequence is not None


class Far(Asleep):
    """Stands for an agent whose server does not answer the first call."""

    def __init__(self) -> None:
        super().__init__()
        self.away = True

    async def execute_update(self, name: str, message: Message, **_: object) -> Reply:
        self.asked.append(message)
        self._answer_or_be_away()
        return Reply(id=message.id, status="done")

    async def signal(self, name: str, message: Message, **_: object) -> None:
        self.signalled.append(message)
        self._answer_or_be_away()

    def _answer_or_be_away(self) -> None:
        away, self.away = self.away, False
        if away:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")


@pytest.mark.parametrize("way", ["ask", "send"])
async def test_a_message_that_is_sent_again_because_nobody_knows_what_became_of_it_has_its_place_again(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aos.connection.PATIENCE", 0.0)
    monkeypatch.setattr("aos.delivery.PATIENCE", 0.0)
    agent, delivery = Far(), Delivery()
    handle, call = cast("WorkflowHandle[Any, Any]", agent), getattr(delivery, way)
    with pytest.raises(Unreachable):
        await call(handle, "ada", Message(text="hello", id="m1"))
    for number in range(3):
        await call(handle, "ada", Message(text="between", id=f"between-{number}"))
    await call(handle, "ada", Message(text="hello", id="m1"))
    await call(handle, "ada", Message(text="hello", id="m1"))
    places = [message.sequence.number for message in agent.asked or agent.signalled if message.sequence]
    assert places == [1, 2, 3, 4, 1, 5], "it keeps its place until it is known to have come through"


async def test_who_looks_at_an_agent_is_told_at_once_that_there_is_no_worker() -> None:
    async def look() -> None:
        raise NOBODY_POLLS

    with pytest.raises(NoWorker, match="`aos doctor` says more"):
        await once("ada", look())


class Gone(Agent):
    """Stands for an agent that ends while its reply is waited for."""

    async def query(self, *_: object, **__: object) -> list[Reply]:
        raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")


async def test_a_failure_is_told_to_who_waits_and_to_nobody_else() -> None:
    unheard: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unheard.append(context))
    asking = Delivery().ask(cast("WorkflowHandle[Any, Any]", Gone()), "ada", Message(text="hello", id="m1"))

    with pytest.raises(AgentNotFound):
        await asking

    await asyncio.sleep(0)
    gc.collect()
    assert not unheard


UNFIT = "[TMPRL1100] Nondeterminism error: Update machine does not handle this event: ActivityTaskScheduled"


class Unfit(Agent):
    """Stands for an agent on a worker that was given a part of the history that does not fit, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def query(self, *_: object, **__: object) -> list[Reply]:
        self.looks += 1
        if self.looks <= self.times:
            raise WorkflowQueryFailedError(UNFIT)
        return [Reply(id="m1", status="done", text="here")]


async def test_a_query_that_did_not_fit_what_the_worker_had_is_made_again() -> None:
    agent = Unfit(2)
    reply = await Delivery().ask(cast("WorkflowHandle[Any, Any]", agent), "ada", Message(text="hello", id="m1"))
    assert (reply.text, agent.looks) == ("here", 3)


async def test_who_waits_for_a_reply_waits_on_while_queries_find_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aos.connection.PATIENCE", 0.0)
    agent = Unfit(2)
    reply = await Delivery().ask(cast("WorkflowHandle[Any, Any]", agent), "ada", Message(text="hello", id="m1"))
    assert (reply.text, agent.looks) == ("here", 3)


async def test_a_query_that_never_fits_ends_with_what_it_failed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aos.connection.PATIENCE", 0.2)
    with pytest.raises(AgentError, match="Nondeterminism"):
        await retrying("ada", Unfit(10_000).query)
