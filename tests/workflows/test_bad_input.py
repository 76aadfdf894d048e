"""Whatever is sent to an agent: one clear error, nothing changed, and no workflow task that fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError

from aos.errors import AosError
from aos.names import TASK_QUEUE
from aos.read_back import READ_BACK_WORKFLOW
from engine.engine import Engine


def nested(depth: int) -> bytes:
    schema = b'{"properties": {"a": ' * depth + b"{}" + b"}}" * depth
    return b'{"text": "x", "output_schema": ' + schema + b"}"


SIGNALS = [
    pytest.param("send", [b'{"text": '], "not valid JSON", id="cut off"),
    pytest.param("send", [b"hello"], "not valid JSON", id="no json"),
    pytest.param("send", [b"\xff\xfe\x00"], "not valid JSON", id="no text"),
    pytest.param("send", [b'"hello"'], "object", id="a string"),
    pytest.param("send", [b"null"], "object", id="null"),
    pytest.param("send", [b"{}"], "text: this field is required", id="no text field"),
    pytest.param("send", [b'{"text": ""}'], "text", id="empty"),
    pytest.param("send", [b'{"text": 5}'], "text", id="number"),
    pytest.param("send", [b'{"txt": "x"}'], "did you mean 'text'", id="misspelt"),
    pytest.param("send", [b'{"text": "x", "priority": 9}'], "priority", id="priority"),
    pytest.param("send", [b'{"text": "x", "mode": "shout"}'], "mode", id="mode"),
    pytest.param("send", [b'{"text": "x", "id": "' + b"i" * 201 + b'"}'], "id", id="long id"),
    pytest.param("send", [b'{"text": "x", "images": [{}]}'], "images", id="image"),
    pytest.param("send", [b'{"text": "x", "output_schema": {"type": 7}}'], "JSON schema", id="schema"),
    pytest.param("send", [nested(60)], None, id="deep"),
    pytest.param("send", [nested(150)], "", id="deeper"),
    pytest.param("send", [nested(5000)], "", id="deepest"),
    pytest.param("send", [b'{"text": "' + b"x" * 1024 * 1024 + b'"}'], "limit is 1048576", id="too long"),
    pytest.param("send", [], "it is empty", id="nothing"),
    pytest.param("send", [b'{"text": "a"}', b'{"text": "b"}'], "2 arguments were given", id="two"),
    pytest.param("send", [b'{"text": "a"}', b"{"], "2 arguments were given", id="two and broken"),
    pytest.param("pause", [b"{}", b"{}"], "2 arguments were given", id="pause with two"),
    pytest.param("event", [b'{"source": "x"}'], "type: this field is required", id="event"),
    pytest.param("stop", [b'{"when": "later"}'], "when", id="stop"),
    pytest.param("stop", [b"{"], "not valid JSON", id="stop cut off"),
    pytest.param("shout", [b'{"text": "x"}'], "there is no such signal", id="unknown"),
    pytest.param("shout", [], "there is no such signal", id="unknown and empty"),
    pytest.param("", [b"{"], "there is no such signal", id="nameless"),
]


@pytest.mark.parametrize(("signal", "payloads", "reason"), SIGNALS)
async def test_a_signal_that_cannot_be_read_is_a_dead_letter(
    engine: Engine, signal: str, payloads: list[bytes], reason: str | None
) -> None:
    ada = await engine.start()
    if not signal:
        with pytest.raises(RPCError):
            await engine.signal_bytes(ada, signal, *payloads)
        return
    await engine.signal_bytes(ada, signal, *payloads)
    assert await engine.ask(ada, "hello") == "echo: hello"
    letters = (await engine.client.dead_letters(ada)).letters
    if reason is None:
        assert [letter for letter in letters if letter.kind == "unreadable"] == []
    else:
        assert [letter.kind for letter in letters] == ["unreadable"]
        assert reason in letters[0].reason
        assert len(letters[0].text) <= 1000
        status = await engine.client.status(ada)
        assert (status.turns, status.condition) == (1, "waiting")
    assert await engine.failed_tasks(ada) == []


async def test_a_payload_in_a_foreign_encoding_is_a_dead_letter(engine: Engine) -> None:
    ada = await engine.start()
    await engine.signal_bytes(ada, "send", b"\x00\x01", encoding="binary/encrypted")
    await engine.ask(ada, "hello")
    assert "binary/encrypted" in (await engine.client.dead_letters(ada)).letters[0].reason
    assert await engine.failed_tasks(ada) == []


async def test_many_dead_letters_still_fit_into_an_answer(engine: Engine) -> None:
    ada = await engine.start()
    for _ in range(300):
        await engine.signal_bytes(ada, "send", b"x" * 4000)
    letters = await engine.until(lambda: engine.client.dead_letters(ada), lambda letters: letters.count == 300)
    assert len(letters.letters) == 100


UPDATES: list[tuple[str, list[Any], str]] = [
    ("ask", [{}], "text: this field is required"),
    ("ask", ["hello"], "object"),
    ("ask", [], "it is empty"),
    ("ask", [{"text": "x", "prioriti": 1}], "did you mean 'priority'"),
    ("ask", [{"text": "x" * 1024 * 1024}], "limit is 1048576"),
    ("ask", [{"text": "x"}, {"text": "y"}], ""),
    ("configure", [], "it is empty"),
    ("configure", [[1]], "object"),
    ("shout", [{}], "shout"),
]


@pytest.mark.parametrize(("update", "given", "problem"), UPDATES)
async def test_an_update_that_cannot_be_read_is_refused_to_its_sender(
    engine: Engine, update: str, given: list[object], problem: str
) -> None:
    ada = await engine.start()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await engine.update(ada, update, *given)
    assert problem in str(refused.value.__cause__)
    assert await engine.ask(ada, "hello") == "echo: hello"
    status = await engine.client.status(ada)
    assert (status.turns, status.dead_letters) == (1, 0)
    assert await engine.failed_tasks(ada) == []


async def test_a_message_of_three_megabytes_is_refused_by_the_server(engine: Engine) -> None:
    ada = await engine.start()
    with pytest.raises(RPCError):
        await engine.handle(ada).signal("send", {"text": "x" * 3_000_000})
    with pytest.raises(AosError):
        await engine.client.ask(ada, "x" * 3_000_000)
    assert await engine.ask(ada, "hello") == "echo: hello"


async def test_a_message_of_just_under_a_megabyte_is_handled(engine: Engine) -> None:
    ada = await engine.start(lambda request: str(len(request.items[-1].text)), context_tokens=1_000_000)
    assert await engine.ask(ada, "x" * 1_048_000) == "1048000"
    assert await engine.failed_tasks(ada) == []


@pytest.mark.parametrize(("query", "given"), [("replies", {"ids": 5}), ("replies", {}), ("replies", "x"), ("mood", {})])
async def test_a_query_with_bad_arguments_is_refused(engine: Engine, query: str, given: object) -> None:
    ada = await engine.start()
    await engine.ask(ada, "hello")
    with pytest.raises((WorkflowQueryFailedError, RPCError)):
        await engine.handle(ada).query(query, given)
    assert await engine.ask(ada, "hello again") == "echo: hello again"
    assert await engine.failed_tasks(ada) == []


STARTS: list[tuple[list[Any], str]] = [
    ([], "it is empty"),
    (["ada"], "object"),
    ([{}], "name: this field is required"),
    ([{"name": "NAME", "purpos": "x"}], "did you mean 'purpose'"),
    ([{"name": "x" * 101}], "at most 100 characters"),
    ([{"name": "a b"}], "a name starts with"),
    ([{"name": "someone-else"}], "must be started with the workflow id 'agent/someone-else'"),
    ([{"name": "NAME", "model": "gpt-4o"}], "provider:model"),
    ([{"name": "NAME", "model": "opnai:gpt-4o"}], "no such provider"),
    ([{"name": "NAME", "tools": ["fly"]}], "no built-in tool 'fly'"),
    ([{"name": "NAME", "tools": ["workshop/fly"]}], "fly"),
    ([{"name": "NAME", "max_steps": 0}], "max_steps"),
    ([{"name": "NAME", "purpose": "x" * 300_000}], "limit is 262144"),
    ([{"name": "NAME", "resume": {}}], "resume: there is no such field"),
    ([{"resume": {"spec": {"name": "NAME"}}}], "there is no such field"),
]


@pytest.mark.parametrize(("given", "problem"), STARTS)
async def test_an_agent_that_cannot_be_read_fails_at_once_with_one_clear_message(
    engine: Engine, given: list[object], problem: str
) -> None:
    name = engine.name()
    handle = await engine.start_by_hand(name, *json.loads(json.dumps(given).replace("NAME", name)))
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert problem in str(failed.value.cause)
    assert await engine.failed_tasks(name) == []


async def test_a_read_that_cannot_be_read_fails_at_once(engine: Engine) -> None:
    for number, given in enumerate((["x"], [{"blob": {"ref": "nowhere"}}], [{"blob": {"offset": 1}}])):
        name = f"read-{engine.name()}-{number}"
        handle = await engine.temporal.start_workflow(READ_BACK_WORKFLOW, args=given, id=name, task_queue=TASK_QUEUE)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        types = [event.event_type for event in (await handle.fetch_history()).events]
        assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in types


async def test_lengths_of_time_beyond_all_bounds_do_not_break_an_agent(engine: Engine) -> None:
    trigger = {"type": "interval", "every": 1e300, "jitter": 1e300, "text": "tick"}
    ada = await engine.start(patience=1e300, triggers=[trigger])
    assert await engine.ask(ada, "hello") == "echo: hello"
    assert (await engine.client.status(ada)).next_tick
    assert await engine.failed_tasks(ada) == []
