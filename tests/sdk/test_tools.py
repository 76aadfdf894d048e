from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from aos.errors import InvalidInput, InvalidTool
from aos.tools import ToolCallInfo, by_name, current_call, in_call, tool


class Line(BaseModel):
    article: str
    count: int = 1


@dataclass
class Place:
    street: str


@tool(timeout="1m30s", attempts=5, permission="orders.write")
def place_order(lines: list[Line], to: Place, urgency: Literal["low", "high"] = "low", _note: str | None = None) -> str:
    """Place an order.

    It is shipped the same day.

    Args:
        lines: What is ordered,
            one entry for each article.
        urgency: How soon.

    Returns:
        The order's number.
    """
    return f"{urgency} {to.street} " + ",".join(f"{line.article}*{line.count}" for line in lines) + (_note or "")


def test_a_description_has_the_words_of_the_docstring_and_the_types_of_the_annotations() -> None:
    described = place_order.describe("aos-shop")
    assert described.definition.name == "place_order"
    assert described.definition.description == "Place an order.\n\nIt is shipped the same day."
    schema = described.definition.parameters
    assert schema["type"] == "object"
    assert schema["required"] == ["lines", "to"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["lines"] == {
        "description": "What is ordered, one entry for each article.",
        "items": {"$ref": "#/$defs/Line"},
        "type": "array",
    }
    assert schema["properties"]["urgency"] == {
        "default": "low",
        "description": "How soon.",
        "enum": ["low", "high"],
        "type": "string",
    }
    assert schema["properties"]["_note"]["default"] is None
    assert "title" not in schema
    assert "title" not in schema["$defs"]["Line"]["properties"]["article"]


def test_a_description_carries_the_policy() -> None:
    policy = place_order.describe("aos-shop").policy
    assert (policy.queue, policy.timeout, policy.attempts, policy.permission) == ("aos-shop", 90.0, 5, "orders.write")
    assert not policy.kernel


def test_a_field_description_wins_over_the_docstring() -> None:
    @tool
    def weigh(grams: Annotated[int, Field(description="On the scales.", ge=1)]) -> str:
        """Weigh.

        Args:
            grams: From the docstring.
        """
        return str(grams)

    assert weigh.parameters["properties"]["grams"] == {"description": "On the scales.", "minimum": 1, "type": "integer"}


@pytest.mark.parametrize(
    "docstring",
    [
        "Weigh.\n\nArgs:\n    grams: On the scales.",
        "Weigh.\n\nParameters\n----------\ngrams : int\n    On the scales.",
        "Weigh.\n\n:param grams: On the scales.",
    ],
)
def test_docstrings_of_every_usual_style_are_read(docstring: str) -> None:
    def weigh(grams: int) -> int:
        return grams

    weigh.__doc__ = docstring
    made = tool(weigh)
    assert made.description == "Weigh."
    assert made.parameters["properties"]["grams"]["description"] == "On the scales."


def test_a_function_without_docstring_is_described_by_its_name() -> None:
    @tool
    def find_the_harbour() -> str:
        return "north"

    assert find_the_harbour.description == "find the harbour"
    assert find_the_harbour.parameters["properties"] == {}


def test_a_tool_is_still_called_like_its_function() -> None:
    assert place_order([Line(article="rope")], to=Place("Quay 1")) == "low Quay 1 rope*1"


async def test_an_async_tool_is_still_awaited_like_its_function() -> None:
    @tool
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    assert await double(21) == 42


def test_arguments_become_what_the_annotations_say() -> None:
    @tool
    def book(on: date, seats: int, place: Place) -> str:
        return f"{on:%d.%m.} {seats} {place.street}"

    assert book.validate({"on": "2026-05-01", "seats": "2", "place": {"street": "Quay 1"}}) == {
        "on": date(2026, 5, 1),
        "seats": 2,
        "place": Place("Quay 1"),
    }


def test_parameters_may_be_called_what_a_model_field_may_not() -> None:
    @tool
    def odd(copy: int, json: int, model_config: int, _id: int = 4) -> int:
        return copy + json + model_config + _id

    assert odd(**odd.validate({"copy": 1, "json": 2, "model_config": 3})) == 10  # pyright: ignore[reportArgumentType]


def test_every_wrong_argument_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        place_order.validate({"lines": [{"article": "rope", "count": "many"}], "urgency": "none", "colour": "red"})
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["lines.0.count", "to", "urgency", "colour"]
    assert "place_order" in str(caught.value)


def test_what_a_wrong_argument_held_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as caught:
        place_order.validate({"lines": "secret-value", "to": {"street": 7}})
    assert "secret-value" not in str(caught.value)


def test_a_tool_that_is_not_idempotent_is_tried_once() -> None:
    @tool(idempotent=False)
    def pay() -> str:
        return "paid"

    assert pay.describe("q").policy.attempts == 1


def no_annotation(a: int, b: int) -> None: ...
def any_number(*numbers: int) -> None: ...
def any_names(**numbers: int) -> None: ...
def by_position(number: int, /) -> None: ...
def _hidden() -> None: ...
def no_json_default(number: float = float("nan")) -> None: ...
def wrong_default(number: int = "three") -> None: ...  # pyright: ignore[reportArgumentType]
def unknown_type(number: int) -> None: ...
def no_schema(call: Iterator[Callable[[], int]]) -> None: ...
def no_schema_class(call: object = object()) -> None: ...


# As an application that is not type-checked may have them.
del no_annotation.__annotations__["a"]
unknown_type.__annotations__["number"] = "Nowhere"


def stream() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (no_annotation, "parameter 'a' has no annotation"),
        (any_number, "'numbers' is variadic positional"),
        (any_names, "'numbers' is variadic keyword"),
        (by_position, "'number' is positional-only"),
        (_hidden, "a name starts with a letter"),
        (no_json_default, "default of 'number' is not JSON"),
        (wrong_default, "default of 'number' is not JSON"),
        (unknown_type, "'Nowhere' is not defined"),
        (no_schema, "no JSON schema"),
        (no_schema_class, "default of 'call' is not JSON"),
        (stream, "generator"),
        (lambda: 1, "a name starts with a letter"),
    ],
)
def test_a_function_that_cannot_be_a_tool_is_refused(function: Callable[..., object], problem: str) -> None:
    with pytest.raises(InvalidTool, match=problem):
        tool(function)


def test_a_method_is_refused_for_its_self() -> None:
    class Shop:
        def sell(self, article: str) -> str:
            return article

    with pytest.raises(InvalidTool, match="'self' has no annotation"):
        tool(Shop.sell)
    assert tool(Shop().sell).parameters["required"] == ["article"]


@pytest.mark.parametrize("name", ["", "two words", "a.b", "x" * 65])
def test_a_name_that_models_refuse_is_refused(name: str) -> None:
    with pytest.raises(InvalidTool, match="choose another"):
        tool(name=name)(any_tool)


def any_tool() -> str:
    return ""


@pytest.mark.parametrize("timeout", ["soon", 0, -1, float("inf")])
def test_a_timeout_that_is_none_is_refused(timeout: float | str) -> None:
    with pytest.raises(InvalidTool, match="timeout="):
        tool(timeout=timeout)(any_tool)


def test_contradicting_attempts_are_refused() -> None:
    with pytest.raises(InvalidTool, match="contradicts"):
        tool(attempts=3, idempotent=False)(any_tool)
    with pytest.raises(InvalidTool, match="at least one"):
        tool(attempts=0)(any_tool)


def test_two_tools_of_one_name_are_refused() -> None:
    first, second = tool(any_tool), tool(any_tool)
    with pytest.raises(InvalidTool, match="two tools of this name"):
        by_name([first, second])


def test_a_plain_function_among_tools_is_refused() -> None:
    with pytest.raises(InvalidTool, match="put @tool before"):
        by_name([any_tool])  # pyright: ignore[reportArgumentType]


def test_the_current_call_is_known_inside_a_call_only() -> None:
    call = ToolCallInfo(key="life/1/2/0", agent="ada", attempt=2)
    with in_call(call):
        assert current_call() is call
    with pytest.raises(RuntimeError, match="in_call"):
        current_call()
