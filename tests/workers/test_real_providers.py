"""The demo's worker on each real provider's own client and wire format, by nothing but its settings."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest

from aos.client import AosClient
from aos.errors import MessageFailed
from aos_workers.child import WorkerProcess
from engine.server import running_server
from wire import bedrock_converse, openai_chat
from wire.script import Call, Refuse, Say
from wire.server import ModelServer

SETTINGS: list[tuple[str, ModuleType, dict[str, str]]] = [
    ("openai:gpt-4o-mini", openai_chat, {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": "URL/v1"}),
    (
        "azure-openai:gpt-4-turbo-2024-04-09",
        openai_chat,
        {
            "AZURE_OPENAI_ENDPOINT": "URL",
            "AZURE_OPENAI_API_KEY": "x",
            "AZURE_OPENAI_API_VERSION": "2024-02-01",
            "AZURE_OPENAI_MODEL": "gpt-4-turbo-2024-04-09",
        },
    ),
    (
        "bedrock:anthropic.claude-3-5-sonnet-20241022-v2:0",
        bedrock_converse,
        {
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "URL",
        },
    ),
]
called = Say(calls=(Call("call_1", "current_time", '{"timezone": "UTC"}'),), input_tokens=100, output_tokens=10)
answered = Say(("It is ", "late."), input_tokens=150, output_tokens=5)
NAMES = {name for _, _, settings in SETTINGS for name in settings}


@pytest.mark.parametrize(("model", "wire", "settings"), SETTINGS, ids=[model for model, _, _ in SETTINGS])
async def test_an_agent_that_names_no_model_uses_the_one_whose_credentials_are_set(
    model: str, wire: ModuleType, settings: dict[str, str], tmp_path: Path
) -> None:
    given = {name: value for name, value in os.environ.items() if name not in NAMES and not name.startswith("AOS_")}
    async with running_server(tmp_path) as environment:
        with ModelServer(wire.speak) as server:
            address = environment.client.service_client.config.target_host
            filled = {name: value.replace("URL", server.url) for name, value in settings.items()}
            worker = WorkerProcess(
                ["--home", str(tmp_path), "--address", address],
                {**given, **filled},
                tmp_path / "worker.log",
                tmp_path / "worker.lock",
            )
            await worker.start()
            assert worker.models == [model]
            client = await AosClient.connect(address)
            await client.start({"name": "ada", "purpose": "Tell the time."})
            server.will(called, answered)
            reply = await client.ask("ada", "What time is it?", timeout=30)
            assert reply.text == "It is late."
            assert reply.steps == 2
            spend = (await client.status("ada")).spend
            assert [entry.model for entry in spend] == [model]
            assert spend[0].cost > 0
            server.will(Refuse("key"))
            with pytest.raises(MessageFailed, match=r"key|credentials"):
                await client.ask("ada", "And now?", timeout=30)
            await worker.stop()
    assert "sk-x" not in (tmp_path / "worker.log").read_text()
