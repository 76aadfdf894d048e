"""Whatever arguments a model writes for a tool: it is told what is wrong with them, and the worker never fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from aos.errors import InvalidInput
from aos.tools import tool
from aos_activities.models.tool_calls import read_arguments
from fuzzing.cases import Cases
from fuzzing.mutation import Mutator


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Plank(BaseModel):
    length: Annotated[float, Field(gt=0)]
    wood: Literal["oak", "pine"] = "pine"
    inner: Plank | None = None


@dataclass
class Place:
    row: int
    names: list[str]


@tool
def saw(plank: Plank, times: int = 1, colour: Colour = Colour.RED) -> str:
    """Saw a plank."""
    return "sawed"


@tool
def plan(day: date, pause: timedelta, price: Decimal, places: dict[str, Place], note: str | int | None = None) -> str:
    """Plan a day."""
    return "planned"


RIGHT: list[tuple[Any, dict[str, Any]]] = [
    (saw, {"plank": {"length": 2.5, "wood": "oak", "inner": {"length": 1}}, "times": 3, "colour": "blue"}),
    (plan, {"day": "2026-01-02", "pause": "PT5M", "price": "1.50", "places": {"a": {"row": 1, "names": ["x"]}}}),
]


def test_any_arguments_are_taken_or_refused_in_words_for_the_model(seed: int, long_form: bool) -> None:
    cases = Cases(seed, "arguments")

    def case(chance: Random) -> tuple[object, Callable[[], str]]:
        called, right = chance.choice(RIGHT)
        text = Mutator(chance).payload(right).decode(errors="replace")

        def read() -> str:
            arguments, malformed = read_arguments(text)
            if malformed:
                return "malformed"
            try:
                called.validate(arguments)
            except InvalidInput as error:
                str(error).encode()
                return "refused"
            return "taken"

        return text, read

    for number in range(100_000 if long_form else 20_000):
        cases.run(number, case)
    cases.check()
    assert min(cases.outcomes[outcome] for outcome in ("malformed", "refused", "taken")) > 500
