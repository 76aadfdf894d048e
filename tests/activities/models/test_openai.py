"""What is particular to OpenAI, Azure OpenAI and servers like them."""

from __future__ import annotations

import pytest

from aos.conversation import Image, UserItem
from aos.errors import RetryableModelError, SetupError, TerminalModelError
from aos.provider import ModelRequest
from aos_activities.models.openai import AzureOpenAIProvider, OpenAIProvider
from wire.bench import Bench
from wire.script import Complain, Ramble, Refuse, Say
from wire.server import ModelServer

SCHEMA = {"type": "object", "properties": {"mood": {"type": "string"}}}


async def test_openai_is_asked_with_a_bearer_key_and_an_idempotency_key(openai: Bench) -> None:
    openai.will(Say(("Hi.",)))
    answer = await openai.ask(key="life/7/2")
    assert openai.last.path == "/v1/chat/completions"
    assert openai.last.headers["authorization"].startswith("Bearer sk-")
    assert openai.last.headers["idempotency-key"] == "life/7/2"
    assert answer.model == "gpt-4o-mini-2024-07-18"


async def test_azure_is_asked_at_the_deployment_with_its_key_and_version(azure: Bench) -> None:
    azure.will(Say(("Hi.",)))
    await azure.ask(model="my-deployment")
    assert azure.last.path == "/openai/deployments/my-deployment/chat/completions"
    assert azure.last.query == {"api-version": "2024-10-21"}
    assert azure.last.headers["api-key"].startswith("sk-")
    assert "authorization" not in azure.last.headers


async def test_an_image_may_be_an_address(openai: Bench) -> None:
    openai.will(Say(("A cat.",)))
    await openai.ask(UserItem(text="What is it?", images=[Image(url="https://example.com/cat.png")]))
    assert {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}} in openai.messages()[-1][
        "content"
    ]


async def test_a_schema_is_sent_as_response_format(openai: Bench) -> None:
    openai.will(Say(("{}",)))
    await openai.ask(output_schema=SCHEMA)
    form = openai.last.body["response_format"]
    assert (form["type"], form["json_schema"]["schema"]) == ("json_schema", SCHEMA)


async def test_a_model_without_response_format_is_told_the_schema_in_words_from_then_on(openai: Bench) -> None:
    openai.will(Complain("'response_format' of type 'json_schema' is not supported with this model."))
    openai.will(Say(("{}",)), Say(("{}",)))
    await openai.ask(output_schema=SCHEMA)
    await openai.ask(output_schema=SCHEMA)
    assert ["response_format" in request.body for request in openai.server.received] == [True, False, False]
    assert '"mood"' in openai.messages()[0]["content"]


async def test_a_server_that_knows_only_max_tokens_is_given_that(openai: Bench) -> None:
    openai.will(Complain("Unrecognized request argument supplied: max_completion_tokens"), Say(("Hi.",)))
    await openai.ask(max_output_tokens=9)
    first, second = (request.body for request in openai.server.received)
    assert (first["max_completion_tokens"], second["max_tokens"]) == (9, 9)
    assert "max_completion_tokens" not in second


async def test_a_complaint_that_no_other_spelling_avoids_is_final(openai: Bench) -> None:
    openai.will(*[Complain("response_format and max_completion_tokens are both wrong")] * 3)
    with pytest.raises(TerminalModelError, match="are both wrong"):
        await openai.ask(output_schema=SCHEMA, max_output_tokens=9)
    assert len(openai.server.received) == 3


async def test_a_sparse_server_that_leaves_out_reason_and_usage_is_understood(openai_server: ModelServer) -> None:
    provider = OpenAIProvider(name="local", api_key="", base_url=f"{openai_server.url}/v1")
    openai_server.will(Ramble(b'{"choices": [{"message": {"content": "Hi."}}]}'))
    answer = await provider.complete(ModelRequest(model="tiny", system="", items=[UserItem(text="Hello?")]))
    await provider.aclose()
    assert (answer.text, answer.finish_reason, answer.model) == ("Hi.", "stop", "tiny")


async def test_arguments_given_as_an_object_and_calls_without_ids_are_understood(openai_server: ModelServer) -> None:
    provider = OpenAIProvider(name="local", api_key="", base_url=f"{openai_server.url}/v1")
    call = b'{"function": {"name": "weather", "arguments": {"place": "Lima"}}}'
    openai_server.will(Ramble(b'{"choices": [{"message": {"tool_calls": [%s, %s]}}]}' % (call, call)))
    answer = await provider.complete(ModelRequest(model="tiny", system="", items=[UserItem(text="Hello?")]))
    await provider.aclose()
    assert [(one.id, one.arguments) for one in answer.tool_calls] == [
        ("call_1", {"place": "Lima"}),
        ("call_2", {"place": "Lima"}),
    ]


async def test_a_refusal_is_the_text(openai_server: ModelServer) -> None:
    provider = OpenAIProvider(api_key="", base_url=f"{openai_server.url}/v1")
    openai_server.will(Ramble(b'{"choices": [{"message": {"refusal": "I will not."}, "finish_reason": "stop"}]}'))
    answer = await provider.complete(ModelRequest(model="tiny", system="", items=[UserItem(text="Hello?")]))
    await provider.aclose()
    assert answer.text == "I will not."


async def test_a_key_that_the_server_repeats_is_not_repeated(openai_server: ModelServer) -> None:
    provider = OpenAIProvider(api_key="hunter2-hunter2", base_url=f"{openai_server.url}/v1")
    openai_server.will(Complain("no quota left for key hunter2-hunter2"))
    with pytest.raises(TerminalModelError) as caught:
        await provider.complete(ModelRequest(model="tiny", system="", items=[UserItem(text="Hello?")]))
    await provider.aclose()
    assert "no quota left" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-geheimnis\u2019", "sk-ab\ncd", "sk ab"])
def test_a_key_that_cannot_be_one_is_refused_at_the_start_without_showing_it(key: str) -> None:
    with pytest.raises(SetupError, match="OPENAI_API_KEY") as caught:
        OpenAIProvider(api_key=key)
    assert key not in str(caught.value)


def test_azure_needs_a_key() -> None:
    with pytest.raises(SetupError, match="AZURE_OPENAI_API_KEY"):
        AzureOpenAIProvider(endpoint="https://example.com", api_key=" ", api_version="2024-10-21")


async def test_an_overloaded_server_is_asked_again_after_what_it_said(azure: Bench) -> None:
    azure.will(Refuse("server", {"Retry-After": "3"}))
    with pytest.raises(RetryableModelError) as caught:
        await azure.ask()
    assert caught.value.retry_after == 3.0
