"""What is particular to Amazon Bedrock."""

from __future__ import annotations

import asyncio

import pytest

from aos.conversation import AssistantItem, Image, NoteItem, ToolCall, ToolItem, UserItem
from aos.errors import SetupError, TerminalModelError
from aos.provider import ModelRequest
from aos_activities.models.bedrock import BedrockProvider
from wire.bench import Bench
from wire.script import Say
from wire.server import ModelServer


async def test_bedrock_is_asked_at_the_model_with_a_signature_of_the_region(bedrock: Bench) -> None:
    bedrock.will(Say(("Hi.",)))
    answer = await bedrock.ask()
    assert bedrock.last.path == f"/model/{bedrock.model}/converse" + ("-stream" if bedrock.streamed else "")
    assert "/eu-central-1/bedrock/aws4_request" in bedrock.last.headers["authorization"]
    assert bedrock.last.body["system"] == [{"text": "You are terse."}]
    assert answer.model == bedrock.model


async def test_what_follows_one_another_in_one_role_becomes_one_turn(bedrock: Bench) -> None:
    bedrock.will(Say(("Hi.",)))
    calls = [ToolCall(id="c1", name="weather"), ToolCall(id="c2", name="weather")]
    await bedrock.ask(
        UserItem(text="One."),
        UserItem(text="Two."),
        AssistantItem(text="Looking.", tool_calls=calls),
        ToolItem(call_id="c1", name="weather", text="rain"),
        ToolItem(call_id="c2", name="weather", text="", error=True),
        NoteItem(text="Mind the steps."),
        tools=[{"name": "weather", "description": "", "parameters": {}}],
    )
    kinds = [(turn["role"], [next(iter(block)) for block in turn["content"]]) for turn in bedrock.messages()]
    assert kinds == [
        ("user", ["text", "text"]),
        ("assistant", ["text", "toolUse", "toolUse"]),
        ("user", ["toolResult", "toolResult", "text"]),
    ]


async def test_no_conversation_at_all_is_still_a_request(bedrock: Bench) -> None:
    bedrock.will(Say(("Hi.",)))
    request = ModelRequest(model=bedrock.model, system="", items=[])
    answer = await bedrock.provider.complete(request, bedrock.heard.append if bedrock.streamed else None)
    assert answer.text == "Hi."
    assert "system" not in bedrock.last.body


async def test_an_image_by_address_is_final_and_says_what_to_send(bedrock: Bench) -> None:
    with pytest.raises(TerminalModelError, match="base64"):
        await bedrock.ask(UserItem(text="What is it?", images=[Image(url="https://example.com/cat.png")]))
    assert not bedrock.server.received


async def test_an_image_that_is_no_base64_is_final(bedrock: Bench) -> None:
    with pytest.raises(TerminalModelError, match="not base64"):
        await bedrock.ask(UserItem(text="What is it?", images=[Image(data="not base64!")]))


async def test_missing_credentials_are_final_and_name_the_settings(
    bedrock_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    provider = BedrockProvider(region="eu-central-1", endpoint_url=bedrock_server.url)
    with pytest.raises(TerminalModelError, match="AWS_PROFILE"):
        await provider.complete(ModelRequest(model="m", system="", items=[UserItem(text="Hello?")]))
    await provider.aclose()
    assert not bedrock_server.received


def test_a_profile_that_does_not_exist_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(SetupError, match="no-such-profile"):
        BedrockProvider(region="eu-central-1")


async def test_more_calls_than_threads_all_end(bedrock_server: ModelServer) -> None:
    provider = BedrockProvider(region="eu-central-1", endpoint_url=bedrock_server.url, concurrency=1)
    bedrock_server.will(*[Say(("Hi.",))] * 5)
    request = ModelRequest(model="m", system="", items=[UserItem(text="Hello?")])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(provider.complete(request, list[str]().append)) for _ in range(5)]
    await provider.aclose()
    assert [task.result().text for task in tasks] == ["Hi."] * 5


async def test_a_request_that_cannot_be_sent_is_final_and_names_the_setting(bedrock: Bench) -> None:
    with pytest.raises(TerminalModelError, match="BEDROCK_MODEL_ID"):
        await bedrock.ask(model="")
