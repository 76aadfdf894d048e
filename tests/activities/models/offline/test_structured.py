from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from aos.conversation import AssistantItem, Item, NoteItem, UserItem
from aos.errors import TerminalModelError
from aos.provider import ModelRequest
from aos_activities.models.offline import OfflineProvider

if TYPE_CHECKING:
    from .conftest import Dialogue


async def _answer(schema: dict[str, Any], text: str = "The weir was built in 1812. How old is the weir?") -> Any:
    request = ModelRequest(model="extractive", system="", items=[UserItem(text=text)], output_schema=schema)
    return json.loads((await OfflineProvider().complete(request)).text)


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


async def test_fields_are_filled_with_what_the_answer_rests_on(dialogue: Dialogue) -> None:
    await dialogue.ask("Read lighthouse-log.md and expedition-report.md")
    schema = _object(
        answer={"type": "string"},
        height_metres={"type": "number"},
        source={"type": "string"},
        keywords={"type": "array", "items": {"type": "string"}},
    )
    made = json.loads((await dialogue.ask("How tall is the lighthouse tower?", output_schema=schema)).text)
    assert "38 metres high" in made["answer"]
    assert made["height_metres"] == 38
    assert made["source"] == "lighthouse-log.md"
    assert "light" in made["keywords"]


async def test_a_date_is_taken_from_the_text(dialogue: Dialogue) -> None:
    await dialogue.ask("Read lighthouse-log.md")
    schema = _object(day={"type": "string", "format": "date"})
    made = json.loads((await dialogue.ask("When did the Corvina strike the reef?", output_schema=schema)).text)
    assert made == {"day": "1893-11-16"}


async def test_a_choice_that_is_mentioned_is_taken() -> None:
    assert await _answer({"enum": ["red", "green"]}, "The door is green.") == "green"


async def test_after_a_note_that_the_reply_did_not_fit_the_former_message_is_answered() -> None:
    items: list[Item] = [
        UserItem(text="The weir was built in 1812. When was the weir built?"),
        AssistantItem(text="1812"),
        NoteItem(text="The reply did not fit the schema: '1812' is not of type 'object'"),
    ]
    schema = _object(year={"type": "integer"})
    request = ModelRequest(model="", system="", items=items, output_schema=schema)
    assert json.loads((await OfflineProvider().complete(request)).text) == {"year": 1812}


async def test_tools_are_called_before_json_is_written(dialogue: Dialogue) -> None:
    made = json.loads(
        (await dialogue.ask("Add 2 and 3 with add", output_schema=_object(answer={"type": "string"}))).text
    )
    assert made == {"answer": "add: 5"}


async def test_a_schema_that_nothing_fits_is_a_terminal_error_with_a_remedy() -> None:
    with pytest.raises(TerminalModelError, match="simplify the schema"):
        await _answer(_object(a={"type": "integer", "minimum": 3, "maximum": 2}))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"},
        {"type": "array", "items": {"type": "integer"}, "minItems": 5, "uniqueItems": True},
        {"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 4, "uniqueItems": True},
        {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "uuid"},
        {"type": "string", "format": "email"},
        {
            "$ref": "#/$defs/tree",
            "$defs": {
                "tree": _object(name={"type": "string"}, kids={"type": "array", "items": {"$ref": "#/$defs/tree"}})
            },
        },
        {"allOf": [_object(a={"type": "integer"}), _object(b={"const": None})]},
        {"anyOf": [{"type": "integer", "minimum": 10, "maximum": 9}, {"type": "null"}]},
        {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 1.5},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}], "items": False, "minItems": 2},
        {"type": ["string", "null"], "maxLength": 0},
        {},
    ],
    ids=str,
)
async def test_common_schemas_are_fitted(schema: dict[str, Any]) -> None:
    made = await _answer(schema)
    jsonschema.validate(made, schema, Draft202012Validator, format_checker=FormatChecker())


def _bounds(low: str, high: str, most: int) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(st.integers(0, most), st.integers(0, most)).map(sorted)
    return pairs.flatmap(
        lambda pair: st.sampled_from([{}, {low: pair[0]}, {high: pair[1]}, {low: pair[0], high: pair[1]}])
    )


def _typed(kind: str, extra: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return extra.map(lambda fields: {"type": kind, **fields})


_NAMES = st.sampled_from(["answer", "summary", "source", "year", "confidence", "points", "keywords", "x", "é", "$y"])
_LEAVES = st.one_of(
    _typed("string", _bounds("minLength", "maxLength", 40)),
    _typed("integer", _bounds("minimum", "maximum", 1000)),
    _typed("number", _bounds("minimum", "maximum", 1000)),
    _typed("integer", st.integers(1, 50).map(lambda step: {"multipleOf": step})),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"const": {"a": [1]}}, {"type": ["null", "integer"]}]),
    st.lists(st.integers() | st.text(max_size=5) | st.none(), min_size=1, max_size=4).map(lambda each: {"enum": each}),
)


def _grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    objects = st.dictionaries(_NAMES, inner, max_size=4).flatmap(
        lambda parts: (
            st.lists(st.sampled_from(sorted(parts)), unique=True).map(
                lambda required: {
                    "type": "object",
                    "properties": parts,
                    "required": required,
                    "additionalProperties": False,
                }
            )
            if parts
            else st.just({"type": "object"})
        )
    )
    arrays = st.tuples(inner, _bounds("minItems", "maxItems", 4)).map(
        lambda both: {"type": "array", "items": both[0], **both[1]}
    )
    return objects | arrays | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts})


@given(st.recursive(_LEAVES, _grown, max_leaves=8))
@settings(max_examples=150, deadline=None)
async def test_whatever_the_schema_the_json_fits_it(schema: dict[str, Any]) -> None:
    jsonschema.validate(await _answer(schema), schema, Draft202012Validator)
