"""Every limit, one under, at, and one over: taken whole, or refused by name with nothing changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import BaseModel

from aos.control import Lookup, Stop
from aos.errors import InvalidInput
from aos.limits import ARGUMENTS_BYTES, MESSAGE_BYTES, NESTING, OUTPUT_BYTES, SCHEMA_BYTES, SPEC_BYTES, clip, cut_bytes
from aos.message import Event, Message, Reply, Sequence
from aos.provider import ModelResponse
from aos.reading import check_size, read_json, read_object
from aos.spec import AgentSpec, EventTrigger, IntervalTrigger
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.output import read_output
from aos_activities.tool_results import RESULT_BYTES, as_outcome
from aos_workflows.mailbox import QUIET_BYTES, Mailbox
from aos_workflows.replies import KEPT, ReplyBook
from aos_workflows.seen import GAPS, IDS, STREAMS, Seen
from aos_workflows.state import RECENT_LINES
from boundaries.fields import FIELDS, Field

SIDES = [pytest.param(-1, id="under"), pytest.param(0, id="at"), pytest.param(1, id="over")]
_BOUNDS = {"maxLength", "minLength", "maxItems", "minItems", "maximum", "minimum"}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("field", FIELDS, ids=lambda field: cast("Field", field).id)
def test_a_field_takes_what_is_within_its_limit_and_names_itself_beyond(field: Field, side: int) -> None:
    given = json.dumps(field.filled(field.limit + side * field.step)).encode()
    if side <= 0:
        read = read_json(field.model, "it", given, MESSAGE_BYTES)
        assert field.model.model_validate_json(read.model_dump_json()) == read
        return
    with pytest.raises(InvalidInput) as refused:
        read_json(field.model, "it", given, MESSAGE_BYTES)
    assert field.place.replace(".item", ".0") in refused.value.problems[0]


def _limits(schema: dict[str, Any], definitions: dict[str, Any], place: str = "") -> set[str]:
    """Return the places of a JSON schema that have a limit, each with which one."""
    found = {f"{place} {bound}" for bound in _BOUNDS & schema.keys()}
    if (name := schema.get("$ref", "").rpartition("/")[2]) and name != "JsonValue":
        found |= _limits(definitions[name], definitions, place)
    for inner in schema.get("anyOf", []):
        found |= _limits(inner, definitions, place)
    for key, inner in schema.get("properties", {}).items():
        found |= _limits(inner, definitions, f"{place}.{key}" if place else key)
    if "items" in schema and "oneOf" not in schema["items"]:
        found |= _limits(schema["items"], definitions, f"{place}.item")
    return found


@pytest.mark.parametrize("model", [AgentSpec, Message, Event, IntervalTrigger, EventTrigger, Stop, Lookup])
def test_every_limit_of_a_field_has_a_row(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    limits = _limits(schema, schema.get("$defs", {}))
    tested = {
        f"{field.place} {kind}"
        for field in FIELDS
        if field.model is model
        for kind in (("maxLength", "maxItems", "maximum") if field.step > 0 else ("minLength", "minItems", "minimum"))
    }
    # Nobody types a negative length of time; `patience` stands for them all.
    assert limits - tested <= {"jitter minimum"}


_FRAMES = [
    (Message, b'{"text":"%s"}', MESSAGE_BYTES),
    (AgentSpec, b'{"name":"ada","triggers":[{"type":"event","event":"e","text":"%s"}]}', SPEC_BYTES),
]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("model", "frame", "limit"), _FRAMES)
def test_what_comes_as_json_has_its_limit_in_bytes(model: type[BaseModel], frame: bytes, limit: int, side: int) -> None:
    # A spec's defaults are written out when it is carried on, and count as well.
    room = limit - len(read_json(model, "it", frame.replace(b"%s", b"x"), limit).model_dump_json()) + 1
    given = frame.replace(b"%s", b"x" * (room + side))
    if side <= 0:
        assert read_json(model, "it", given, limit)
        return
    with pytest.raises(InvalidInput, match=f"the limit is {limit}"):
        read_json(model, "it", given, limit)


@pytest.mark.parametrize("side", SIDES)
def test_a_message_made_in_python_has_the_same_limit(side: int) -> None:
    empty = len(Message(text="x").model_dump_json()) - 1
    message = Message(text="x" * (MESSAGE_BYTES - empty + side))
    assert len(message.model_dump_json()) == MESSAGE_BYTES + side
    if side <= 0:
        check_size("message", message, MESSAGE_BYTES)
        return
    with pytest.raises(InvalidInput, match=f"it has {MESSAGE_BYTES + 1} bytes, the limit is {MESSAGE_BYTES}"):
        check_size("message", message, MESSAGE_BYTES)


@pytest.mark.parametrize("side", SIDES)
def test_a_schema_has_its_limit_in_bytes(side: int) -> None:
    schema = {"description": "x" * (SCHEMA_BYTES - len('{"description":""}') + side)}
    if side <= 0:
        assert read_object(Message, "message", {"text": "x", "output_schema": schema}).output_schema == schema
        return
    with pytest.raises(InvalidInput, match=rf"at most {SCHEMA_BYTES} bytes, this one has {SCHEMA_BYTES + 1}"):
        read_object(Message, "message", {"text": "x", "output_schema": schema})


@pytest.mark.parametrize("side", SIDES)
def test_json_that_is_carried_along_has_its_limit_in_levels(side: int) -> None:
    data: object = "x"
    for _ in range(NESTING - 1 + side):
        data = [data]
    if side <= 0:
        assert read_object(Event, "event", {"type": "x", "data": data}).data == data
        return
    with pytest.raises(InvalidInput, match=f"more deeply than {NESTING} levels"):
        read_object(Event, "event", {"type": "x", "data": data})


@pytest.mark.parametrize("side", SIDES)
def test_a_reply_that_is_read_as_json_has_its_limit_in_bytes(side: int) -> None:
    text = json.dumps("x" * (OUTPUT_BYTES - 2 + side))
    output, problem = read_output(ModelResponse(text=text), {"type": "string"})
    if side <= 0:
        assert (output, problem) == (json.loads(text), "")
    else:
        assert output is None
        assert f"{OUTPUT_BYTES + 1} bytes of JSON, the limit is {OUTPUT_BYTES}" in problem


@pytest.mark.parametrize(
    ("size", "whole", "stored"),
    [(1023, True, False), (1024, True, False), (1025, False, True), (RESULT_BYTES, False, True)],
)
async def test_a_result_up_to_a_kibibyte_travels_whole_and_a_longer_one_by_reference(
    tmp_path: Path, size: int, whole: bool, stored: bool
) -> None:
    store = SqliteBlobStore(tmp_path / "blobs.db")
    outcome = await as_outcome(store, "x" * size)
    assert (len(outcome.text) == size, bool(outcome.ref)) == (whole, stored)
    if stored:
        assert (outcome.size, len(await store.load(outcome.ref))) == (size, size)
    await store.aclose()


async def test_a_result_over_sixty_four_mebibytes_is_refused_in_words(tmp_path: Path) -> None:
    store = SqliteBlobStore(tmp_path / "blobs.db")
    outcome = await as_outcome(store, "x" * (RESULT_BYTES + 1))
    assert outcome.error
    assert f"has {RESULT_BYTES + 1} bytes and at most {RESULT_BYTES} are kept" in outcome.text
    await store.aclose()


@pytest.mark.parametrize("side", SIDES)
def test_a_text_is_cut_at_its_limit_and_never_within_a_character(side: int) -> None:
    text = "x" * (159 + side)
    assert clip(text + "y") == (text + "y" if side <= 0 else text[:159] + "…")
    assert cut_bytes("é" * 10, 15 + side) == "é" * ((15 + side) // 2)


@pytest.mark.parametrize("side", SIDES)
def test_replies_are_kept_up_to_a_thousand_the_oldest_going_first(side: int) -> None:
    book = ReplyBook()
    for number in range(KEPT + side):
        book.keep(Reply(id=f"m{number}", status="done"))
    assert (book.get("m0") is None) == (side > 0)
    assert book.get(f"m{KEPT + side - 1}")
    assert len(book.replies) == min(KEPT, KEPT + side)


def _sent(stream: str, number: int, born: int = 1) -> Message:
    place = Sequence(stream=stream, born=born, number=number)
    return Message(text="x", id=f"{stream}/{number}", sequence=place)


@pytest.mark.parametrize("side", SIDES)
def test_a_sender_with_too_many_gaps_is_told_not_served_twice(side: int) -> None:
    seen = Seen()
    odd = range(1, 2 * (GAPS + side) + 2, 2)
    assert {seen.judge(_sent("s", number)) for number in odd} == {"new"}
    fresh = Seen(streams=seen.streams)  # without the ids, which are another memory
    assert fresh.judge(_sent("s", 2)) == ("new" if side <= 0 else "forgotten")
    assert fresh.judge(_sent("s", odd[-1] - 1)) == "new"


@pytest.mark.parametrize("side", SIDES)
def test_streams_beyond_those_remembered_make_room_and_are_refused_not_served_twice(side: int) -> None:
    seen = Seen()
    for number in range(STREAMS + side):
        assert seen.judge(_sent(f"s{number}", 1, born=number + 1)) == "new"
    again = Seen(streams=seen.streams, floor=seen.floor)
    assert again.judge(_sent("s0", 1, born=1)) == ("duplicate" if side <= 0 else "forgotten")


@pytest.mark.parametrize("side", SIDES)
def test_ids_are_remembered_up_to_their_number(side: int) -> None:
    seen = Seen()
    for number in range(IDS + side):
        seen.judge(Message(text="x", id=f"m{number}"))
    assert seen.judge(Message(text="x", id="m0")) == ("duplicate" if side <= 0 else "new")


@pytest.mark.parametrize("side", SIDES)
def test_quiet_messages_beyond_their_limit_wake_the_agent(side: int) -> None:
    mailbox = Mailbox()
    mailbox.offer(Message(text="x", id="m", wake=False), 0.0)
    rest = QUIET_BYTES - mailbox.quiet[0].size
    mailbox = Mailbox()
    mailbox.offer(Message(text="x" * (1 + rest + side), id="m", wake=False), 0.0)
    assert sum(entry.size for entry in mailbox.quiet) == QUIET_BYTES + side
    assert mailbox.has_work == (side > 0)


def test_the_arguments_of_a_call_and_the_newest_lines_have_the_limits_that_are_told() -> None:
    assert (ARGUMENTS_BYTES, RECENT_LINES) == (64 * 1024, 20)
