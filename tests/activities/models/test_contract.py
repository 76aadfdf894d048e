"""What every provider does alike, shown on its own wire format, whole and streamed."""

from __future__ import annotations

import asyncio
import base64
from email.utils import formatdate
from time import time
from typing import Literal, TypeVar

import pytest

from aos.conversation import AssistantItem, Image, NoteItem, SummaryItem, ToolCall, ToolItem, Usage, UserItem
from aos.errors import ModelError, RetryableModelError, TerminalModelError
from aos.provider import ModelRequest, ToolSchema
from wire.bench import Bench
from wire.script import Call, Complain, FailMidway, KeepSilent, Ramble, Refuse, Say

WEATHER = ToolSchema(
    name="weather",
    description="Weather of a place.",
    parameters={"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
)


async def test_a_text_comes_whole_and_a_listener_hears_each_piece(bench: Bench) -> None:
    bench.will(Say(("Good ", "day", ", grüß dich!")))
    answer = await bench.ask()
    assert answer.text == "Good day, grüß dich!"
    assert answer.finish_reason == "stop"
    assert bench.heard == (["Good ", "day", ", grüß dich!"] if bench.streamed else [])


async def test_usage_counts_cached_tokens_as_part_of_the_input(bench: Bench) -> None:
    bench.will(Say(("Yes.",), input_tokens=1000, output_tokens=7, cached_tokens=640))
    assert (await bench.ask()).usage == Usage(input_tokens=1000, output_tokens=7, cached_tokens=640)


async def test_a_tool_call_is_read(bench: Bench) -> None:
    bench.will(Say(("Let me see.",), (Call("call_a", "weather", '{"place": "Köln"}'),)))
    answer = await bench.ask(tools=[WEATHER])
    assert answer.text == "Let me see."
    assert answer.tool_calls == [ToolCall(id="call_a", name="weather", arguments={"place": "Köln"})]
    assert answer.finish_reason == "tool_calls"
    assert bench.offered() == ["weather"]


async def test_parallel_tool_calls_keep_their_order_and_arguments(bench: Bench) -> None:
    places = ["Köln", "Lima", "Oslo"]
    bench.will(Say((), tuple(Call(f"call_{p}"[:6], "weather", f'{{"place": "{p}"}}') for p in places)))
    answer = await bench.ask(tools=[WEATHER])
    assert [call.arguments["place"] for call in answer.tool_calls] == places
    assert [call.id for call in answer.tool_calls] == ["call_K", "call_L", "call_O"]


async def test_tool_results_go_back_to_their_calls(bench: Bench) -> None:
    bench.will(Say(("Rain there, and no news here.",)))
    calls = [ToolCall(id=i, name="weather", arguments={"place": p}) for i, p in (("c1", "Köln"), ("c2", "Atlantis"))]
    await bench.ask(
        UserItem(text="Weather?"),
        AssistantItem(text="Looking.", tool_calls=calls),
        ToolItem(call_id="c1", name="weather", text="rain"),
        ToolItem(call_id="c2", name="weather", text="no such place", error=True),
        tools=[WEATHER],
    )
    first, second = bench.results()
    assert first == ("c1", "rain", False)
    assert second[0] == "c2"
    assert second[1].endswith("no such place")
    assert second[2]


async def test_what_was_said_between_a_call_and_its_result_comes_after_it(bench: Bench) -> None:
    bench.will(Say(("Fine.",)))
    await bench.ask(
        UserItem(text="Weather?"),
        AssistantItem(tool_calls=[ToolCall(id="c1", name="weather"), ToolCall(id="c2", name="weather")]),
        UserItem(text="Quick, please!"),
        ToolItem(call_id="c1", name="weather", text="rain"),
        tools=[WEATHER],
    )
    assert [(call_id, error) for call_id, _, error in bench.results()] == [("c1", False), ("c2", True)]
    assert "Quick, please!" in str(bench.messages()[-1])


async def test_any_order_of_items_makes_a_request_that_the_service_takes(bench: Bench) -> None:
    bench.will(Say(("All right.",)))
    await bench.ask(
        AssistantItem(text="I begin."),
        SummaryItem(text="They spoke of rain."),
        NoteItem(text="A message failed."),
        UserItem(text=" "),
        UserItem(text="Two in a row."),
        ToolItem(call_id="gone", name="weather", text="snow"),
        AssistantItem(text=""),
        AssistantItem(tool_calls=[ToolCall(id="strange id: ü/" + "x" * 90, name="not.a.wire name")]),
        tools=[WEATHER],
    )
    sent = str(bench.messages())
    assert all(text in sent for text in ("They spoke of rain.", "A message failed.", "snow"))


async def test_a_conversation_with_tool_calls_can_go_on_without_tools(bench: Bench) -> None:
    bench.will(Say(("Summary.",)))
    await bench.ask(
        UserItem(text="Weather?"),
        AssistantItem(tool_calls=[ToolCall(id="c1", name="weather", arguments={"place": "Köln"})]),
        ToolItem(call_id="c1", name="weather", text="rain"),
    )
    assert "Köln" in str(bench.messages())
    assert "rain" in str(bench.messages())


async def test_a_name_that_the_wire_refuses_is_replaced_and_found_again(bench: Bench) -> None:
    tool = WEATHER.model_copy(update={"name": "weather.of-" + "x" * 80})
    bench.will(Say(("Hm.",)))
    await bench.ask(tools=[tool, WEATHER])
    stand_in, plain = bench.offered()
    assert plain == "weather"
    bench.will(Say((), (Call("c1", stand_in, "{}"),)))
    answer = await bench.ask(tools=[tool])
    assert answer.tool_calls[0].name == tool.name


async def test_a_tool_without_parameters_is_offered_as_one_of_an_empty_object(bench: Bench) -> None:
    bench.will(Say(("Hm.",)))
    await bench.ask(tools=[ToolSchema(name="now", description="", parameters={})])
    assert "{'type': 'object', 'properties': {}}" in str(bench.last.body)


async def test_an_image_arrives_byte_for_byte(bench: Bench) -> None:
    picture = bytes(range(256))
    bench.will(Say(("A cat.",)))
    image = Image(media_type="image/webp", data=base64.b64encode(picture).decode())
    await bench.ask(UserItem(text="What is it?", images=[image]))
    assert bench.images() == [picture]


@pytest.mark.parametrize("text", ["{", "[1]", '"text"', '{"place": 1e999}', "[" * 3000])
async def test_arguments_that_are_no_json_object_are_handed_on_as_malformed(bench: Bench, text: str) -> None:
    bench.will(Say((), (Call("c1", "weather", text),)))
    call = (await bench.ask(tools=[WEATHER])).tool_calls[0]
    assert call.arguments == {}
    assert call.malformed


async def test_a_call_without_arguments_has_none(bench: Bench) -> None:
    bench.will(Say((), (Call("c1", "weather", ""),)))
    call = (await bench.ask(tools=[WEATHER])).tool_calls[0]
    assert (call.arguments, call.malformed) == ({}, "")


async def test_missing_and_repeated_call_ids_are_repaired_the_same_way_each_time(bench: Bench) -> None:
    said = Say((), tuple(Call(i, "weather", '{"place": "Köln"}') for i in ("", "c1", "c2", "c2")))
    history = [
        UserItem(text="Weather?"),
        AssistantItem(tool_calls=[ToolCall(id="c1", name="weather")]),
        ToolItem(call_id="c1", name="weather", text="rain"),
    ]
    bench.will(said, said)
    first = await bench.ask(*history, tools=[WEATHER])
    second = await bench.ask(*history, tools=[WEATHER])
    ids = [call.id for call in first.tool_calls]
    assert ids == [call.id for call in second.tool_calls]
    assert len({*ids, "c1", ""}) == 6
    assert "c2" in ids


async def test_halves_of_surrogate_pairs_do_not_reach_the_agent(bench: Bench) -> None:
    bench.will(Say(("Oh \ud83d",), (Call("c1", "weather", '{"place": "\\ud83d"}'),)))
    answer = await bench.ask(tools=[WEATHER])
    assert answer.model_dump_json()
    assert answer.text == "Oh \ufffd"
    assert answer.tool_calls[0].malformed


async def test_a_schema_for_the_answer_reaches_the_model(bench: Bench) -> None:
    schema = {"type": "object", "properties": {"mood": {"type": "string"}}, "required": ["mood"]}
    bench.will(Say(('{"mood": "calm"}',)))
    answer = await bench.ask(output_schema=schema, temperature=0.5, max_output_tokens=99)
    assert answer.text == '{"mood": "calm"}'
    assert "mood" in str(bench.last.body)
    assert "99" in str(bench.last.body)
    assert "0.5" in str(bench.last.body)


async def test_an_answer_that_was_cut_at_the_token_limit_says_so(bench: Bench) -> None:
    bench.will(Say(("Once upon a",), finish="length"))
    assert (await bench.ask()).finish_reason == "length"


E = TypeVar("E", bound=ModelError)


async def _failure(bench: Bench, kind: type[E], timeout: float = 5.0) -> E:
    with pytest.raises(kind) as caught:
        await bench.ask(timeout=timeout)
    error = caught.value
    assert (error.provider, error.model) == (bench.provider.name, bench.model)
    assert error.problem
    assert error.remedy
    assert "proof" not in str(error)
    assert len(bench.server.received) == 1, "a provider never tries again by itself"
    return error


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"Retry-After": "7"}, 7.0), ({"retry-after-ms": "1500", "Retry-After": "2"}, 1.5), ({}, None)],
)
async def test_a_rate_limit_is_retried_after_what_the_provider_said(
    bench: Bench, headers: dict[str, str], wait: float | None
) -> None:
    bench.will(Refuse("rate", headers))
    error = await _failure(bench, RetryableModelError)
    assert error.retry_after == wait
    assert "429" in error.problem


async def test_a_rate_limit_with_a_date_is_retried_at_that_time(bench: Bench) -> None:
    bench.will(Refuse("rate", {"Retry-After": formatdate(time() + 90, usegmt=True)}))
    error = await _failure(bench, RetryableModelError)
    assert error.retry_after is not None
    assert 60 < error.retry_after <= 90


async def test_a_server_error_is_retried(bench: Bench) -> None:
    bench.will(Refuse("server"))
    assert "500" in (await _failure(bench, RetryableModelError)).problem


async def test_silence_ends_at_the_time_out_and_is_retried(bench: Bench) -> None:
    bench.will(KeepSilent())
    assert "0.2 s" in (await _failure(bench, RetryableModelError, timeout=0.2)).problem


async def test_silence_half_way_ends_at_the_time_out_and_is_retried(bench: Bench) -> None:
    bench.will(Say(("Once ", "upon ", "a ", "time"), broken="silent"))
    assert "0.2 s" in (await _failure(bench, RetryableModelError, timeout=0.2)).problem


async def test_a_cut_connection_is_retried(bench: Bench) -> None:
    bench.will(Say(("Once ", "upon ", "a ", "time"), broken="cut"))
    await _failure(bench, RetryableModelError)


async def test_a_stream_that_ends_before_its_end_is_retried(streaming: Bench) -> None:
    streaming.will(Say(("Once ", "upon ", "a ", "time"), broken="short"))
    assert "cut off" in (await _failure(streaming, RetryableModelError)).problem


@pytest.mark.parametrize("kind", ["rate", "server"])
async def test_an_error_within_a_stream_is_retried(streaming: Bench, kind: Literal["rate", "server"]) -> None:
    streaming.will(FailMidway(kind))
    await _failure(streaming, RetryableModelError)


@pytest.mark.parametrize("body", [b'{"choices": [{"mess', b"<html>Bad gateway</html>", b"[]", b"{}", b'"\xff"'])
async def test_an_answer_out_of_format_is_retried(bench: Bench, body: bytes) -> None:
    bench.will(Ramble(body))
    await _failure(bench, RetryableModelError)


async def test_nobody_listening_is_retried(bench: Bench) -> None:
    bench.will(Say(("Hi.",)))
    await bench.ask()
    bench.server.close()
    with pytest.raises(RetryableModelError):
        await bench.ask()


SETTING = {
    "openai": ("OPENAI_API_KEY", "AOS_MODEL"),
    "azure-openai": ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_MODEL"),
    "bedrock": ("AWS_PROFILE", "BEDROCK_MODEL_ID"),
}


async def test_a_refused_key_is_final_and_names_the_setting(bench: Bench) -> None:
    bench.will(Refuse("key"))
    error = await _failure(bench, TerminalModelError)
    assert SETTING[bench.provider.name][0] in error.remedy


async def test_an_unknown_model_is_final_and_names_the_setting(bench: Bench) -> None:
    bench.will(Refuse("model"))
    error = await _failure(bench, TerminalModelError)
    assert SETTING[bench.provider.name][1] in error.remedy


async def test_a_conversation_too_long_is_final_and_says_what_to_lower(bench: Bench) -> None:
    bench.will(Refuse("long"))
    assert "context_tokens" in (await _failure(bench, TerminalModelError)).remedy


async def test_a_message_that_the_content_filter_held_back_is_final(bench: Bench) -> None:
    bench.will(Refuse("filter"))
    assert "content filter" in (await _failure(bench, TerminalModelError)).problem


async def test_an_answer_that_the_content_filter_held_back_is_final(bench: Bench) -> None:
    bench.will(Say(("Well, ",), finish="content_filter"))
    assert "content filter" in (await _failure(bench, TerminalModelError)).problem


async def test_any_other_refusal_is_final_and_quotes_the_provider(bench: Bench) -> None:
    bench.will(Complain("temperature must be at most 1"))
    assert "temperature must be at most 1" in (await _failure(bench, TerminalModelError)).problem


async def test_a_listener_that_fails_ends_the_call(streaming: Bench) -> None:
    def refuse(piece: str) -> None:
        raise BufferError(piece)

    streaming.will(Say(("Once ", "upon ")))
    with pytest.raises(BufferError, match="Once"):
        await streaming.provider.complete(
            ModelRequest(model=streaming.model, system="", items=[UserItem(text="Hello?")]), refuse
        )


async def test_a_call_can_be_cancelled_at_once(bench: Bench) -> None:
    bench.will(KeepSilent())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bench.ask(timeout=60), 0.2)
