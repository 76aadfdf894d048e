from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle

import aos.client as aos_client
from aos.connection import connect
from aos.message import Reply
from aos.names import AGENT_WORKFLOW
from command_line import Command, Target

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_ask_writes_the_reply_and_nothing_else(aos: Command, ada: str) -> None:
    result = aos("ask", ada, "hello")
    assert (result.stdout, result.stderr) == ("You said: hello\n", "")


def test_ask_as_json_is_the_whole_reply(aos: Command, ada: str) -> None:
    reply = Reply.model_validate(aos.json("ask", ada, "hello", "--id", "one"))
    assert (reply.id, reply.status, reply.text, reply.usage.input_tokens) == ("one", "done", "You said: hello", 1200)
    assert aos.lines("ask", ada, "hello", "--id", "one") == [reply.model_dump(mode="json")]


def test_a_text_comes_from_standard_input_or_a_file(aos: Command, ada: str, write: Callable[[str, str], str]) -> None:
    assert aos("ask", ada, "-", stdin="from a pipe").stdout == "You said: from a pipe\n"
    assert aos("ask", ada, "--file", write("note.txt", "from a file")).stdout == "You said: from a file\n"


def test_a_message_needs_one_text(aos: Command, ada: str, write: Callable[[str, str], str]) -> None:
    assert "give either TEXT" in aos("send", ada, code=2).stderr
    assert "give either TEXT" in aos("send", ada, "x", "--file", write("a.txt", "y"), code=2).stderr
    assert "cannot be read: No such file" in aos("send", ada, "--file", "no/such.txt", code=2).stderr


def test_a_long_reply_is_written_whole(aos: Command, ada: str) -> None:
    assert len(aos("ask", ada, "something long").stdout) > 100_000


def test_what_would_steer_a_terminal_is_left_out_of_a_reply(aos: Command, ada: str) -> None:
    assert aos("ask", ada, "escape").stdout == "red [31malert\n"


def test_a_reply_fits_the_schema_that_was_given(aos: Command, ada: str, write: Callable[[str, str], str]) -> None:
    schema = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
    path = write("answer.json", json.dumps(schema))
    assert aos.json("ask", ada, "How many?", "--schema", path)["output"] == {"answer": 42}


def test_a_schema_that_is_none_is_refused(aos: Command, ada: str, write: Callable[[str, str], str]) -> None:
    wrong = write("wrong.json", '{"type": "nothing"}')
    assert "output_schema: no JSON schema" in aos("ask", ada, "x", "--schema", wrong, code=2).stderr
    assert "it is not valid JSON" in aos("ask", ada, "x", "--schema", write("bad.json", "{"), code=2).stderr


def test_a_message_that_fails_is_an_error_with_its_reason(aos: Command, ada: str) -> None:
    stderr = aos("ask", ada, "fail", code=1).stderr
    assert stderr.startswith("aos: ")
    assert "it does not want to" in stderr


def test_an_ask_that_takes_too_long_says_how_to_go_on(aos: Command, ada: str) -> None:
    aos("pause", ada)
    with aos.process("ask", ada, "hello", "--timeout", "100ms", "--id", "slow") as process:
        stderr = process.communicate(timeout=10)[1]
    assert process.returncode == 1
    assert "gave no reply within 0.1 s; the message 'slow' is with it all the same" in stderr
    assert aos.json("inbox", ada)["entries"][0]["id"] == "slow"


def test_a_timeout_that_is_none_is_refused(aos: Command, ada: str) -> None:
    assert "--timeout: a length of time looks like" in aos("ask", ada, "x", "--timeout", "soon", code=2).stderr


def test_send_carries_every_option(aos: Command, ada: str) -> None:
    aos("pause", ada)
    options = ("--mode", "steer", "--priority", "1", "--id", "m1", "--sender", "ben", "--no-wake")
    assert aos.json("send", ada, "hello", *options) == {"name": ada, "id": "m1"}
    (entry,) = aos.lines("inbox", ada)
    assert {key: entry[key] for key in ("id", "sender", "priority", "mode", "wake", "preview")} == {
        "id": "m1",
        "sender": "ben",
        "priority": 1,
        "mode": "steer",
        "wake": False,
        "preview": "hello",
    }


def test_send_to_a_full_mailbox_is_refused_and_says_when_to_come_back(aos: Command, ada: str) -> None:
    aos("configure", ada, "mailbox_limit=1")
    aos("pause", ada)
    aos("send", ada, "first")
    assert "is full; come back in " in aos("send", ada, "second", code=1).stderr
    assert aos.json("dead-letters", ada)["count"] == 0


def test_send_where_nobody_looks_says_so_and_loses_nothing(
    workers: Target, aos: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aos_client, "CONFIRM_SECONDS", 0.5)
    name = f"unserved-{uuid4().hex[:8]}"

    async def start() -> WorkflowHandle[Any, Any]:
        client = await connect(workers.address, workers.namespace)
        return await client.start_workflow(AGENT_WORKFLOW, {"name": name}, id=f"agent/{name}", task_queue="nobody")

    async def signals() -> list[str]:
        handle = (await connect(workers.address, workers.namespace)).get_workflow_handle(f"agent/{name}")
        found = [event.workflow_execution_signaled_event_attributes async for event in handle.fetch_history_events()]
        await handle.terminate()
        return [signal.input.payloads[0].data.decode() for signal in found if signal.signal_name == "send"]

    asyncio.run(start())
    sent = aos("send", name, "hello", "--id", "m1")
    assert sent.stdout == f"{name} has the message m1\n"
    assert "no worker may be running, see `aos doctor`" in sent.stderr
    (signal,) = asyncio.run(signals())
    assert json.loads(signal)["id"] == "m1"


def test_a_picture_goes_with_a_message(aos: Command, ada: str, tmp_path: Path) -> None:
    picture = tmp_path / "pixel.png"
    picture.write_bytes(PIXEL)
    assert aos("ask", ada, "see", "--image", str(picture), "--image", "https://example.com/a.png").exit_code == 0
    text = tmp_path / "notes.txt"
    text.write_text("x")
    assert (
        "images.0.media_type: it should be 'image/png'" in aos("ask", ada, "see", "--image", str(text), code=2).stderr
    )


def test_a_message_of_three_megabytes_is_refused_at_once(
    aos: Command, ada: str, write: Callable[[str, str], str]
) -> None:
    path = write("large.txt", "x" * 3_000_000)
    assert (
        "bytes, the limit is 1048576; keep what is long in a document"
        in aos("send", ada, "--file", path, code=2).stderr
    )


def test_an_event_wakes_the_agent_whose_trigger_wants_it(aos: Command, ada: str) -> None:
    aos("configure", ada, "triggers=[{type: event, event: order.*, text: An order.}]")
    assert aos.json("event", ada, "order.paid", "--data", '{"order": 7}', "--source", "shop", "--id", "e1")["data"] == {
        "order": 7
    }
    aos.until("status", ada, holds=lambda status: status["handled"] == 1)
    assert "An order." in aos("log", ada).stdout


def test_an_event_that_no_trigger_wants_is_a_dead_letter(aos: Command, ada: str) -> None:
    aos("event", ada, "storm.warning", "--id", "e1")
    (letter,) = aos.lines("dead-letters", ada)
    assert (letter["id"], letter["kind"]) == ("e1", "undeliverable")
    assert "no trigger wants events of type 'storm.warning'" in aos("dead-letters", ada).stdout


def test_data_of_an_event_that_is_no_json_is_refused(aos: Command, ada: str) -> None:
    assert "--data: it is not valid JSON" in aos("event", ada, "order.paid", "--data", "{order", code=2).stderr
