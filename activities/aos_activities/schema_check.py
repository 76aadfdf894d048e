"""A text as JSON that fits a schema: what needs the schema library, a tenth of the start of a worker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match  # pyright: ignore[reportUnknownVariableType] - the library's
from jsonschema.protocols import Validator
from jsonschema.validators import extend  # pyright: ignore[reportUnknownVariableType] - the library's
from pydantic import JsonValue
from pydantic_core import SchemaError, SchemaValidator, core_schema, to_json
from referencing import Registry
from referencing.exceptions import Unresolvable

from aos.json_value import check_json
from aos.limits import OUTPUT_BYTES, clip

_SECONDS = 1.0
_TEXT_CHARS = 500
_deadline: ContextVar[float] = ContextVar("aos_schema_deadline")


class _Endless(Exception):
    """A schema asks for more checks than can be made."""


def checked(text: str, schema: dict[str, Any]) -> tuple[JsonValue, str]:
    """Return the JSON in a final answer, and what is wrong with it or an empty text."""
    try:
        output: JsonValue = check_json(json.loads(_unfenced(text)))
        if (size := len(to_json(output))) > OUTPUT_BYTES:
            return None, f"the reply has {size} bytes of JSON, the limit is {OUTPUT_BYTES}"
    except (ValueError, RecursionError) as error:
        return None, f"the reply is no JSON: {error}"
    try:
        wrong = _first_problem(output, schema)
    except Unresolvable as error:
        return None, f"the schema refers to what is not in it: {clip(str(error), _TEXT_CHARS)}"
    except _Endless:
        return None, f"the schema takes longer than {_SECONDS:g} s to check"
    except RecursionError:
        return None, "the schema refers to itself without end"
    except (ValueError, TypeError, ArithmeticError, SchemaError) as error:
        # Number of any size, addresses of any form: what a schema may hold, the libraries do not all bear.
        return None, f"the schema cannot be checked: {clip(str(error), _TEXT_CHARS)}"
    if wrong:
        place, problem = clip(wrong.json_path, _TEXT_CHARS), clip(wrong.message, _TEXT_CHARS)
        return None, f"the reply does not fit the schema at {place}: {problem}"
    return output, ""


def _unfenced(text: str) -> str:
    """Return what stands between the fences of Markdown that models put around code."""
    inner = text.strip()
    if not inner.startswith("```") or not inner.endswith("```") or len(inner) < 6:
        return text
    return inner[3:-3].removeprefix("json")


def _first_problem(output: JsonValue, schema: dict[str, Any]) -> ValidationError | None:
    token = _deadline.set(time.monotonic() + _SECONDS)
    try:
        # The registry holds nothing, so that no reference makes the worker fetch an address.
        validator = _Bounded(schema, registry=_NO_OTHER)
        return cast("ValidationError | None", best_match(validator.iter_errors(output)))
    finally:
        _deadline.reset(token)


_NO_OTHER: Registry[Any] = Registry()
_Check = Callable[[Validator, Any, Any, Any], "Iterator[ValidationError] | None"]


def _in_time(check: _Check) -> _Check:
    def checked(validator: Validator, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if time.monotonic() > _deadline.get():
            raise _Endless
        yield from check(validator, value, instance, schema) or ()

    return checked


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> SchemaValidator:
    """Return what looks for a pattern in a time that grows with the text alone, unlike Python's own engine."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


def _check_pattern(validator: Validator, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _pattern(pattern).isinstance_python(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _check_named(validator: Any, patterns: dict[str, Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for pattern, inner in patterns.items():
            for name, value in cast("dict[str, object]", instance).items():
                if _pattern(pattern).isinstance_python(name):
                    yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _check_additional(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name, value in cast("dict[str, object]", instance).items():
            if name not in known and not any(_pattern(pattern).isinstance_python(name) for pattern in patterns):
                yield from validator.descend(value, wanted, path=name)


def _check_unique(validator: Validator, wanted: bool, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(instance, list):
        items = cast("list[object]", instance)
        if len({json.dumps(item, sort_keys=True) for item in items}) < len(items):
            yield ValidationError("it has an item twice")


_KEYWORDS: dict[str, Any] = {
    **Draft202012Validator.VALIDATORS,
    "additionalProperties": _check_additional,
    "pattern": _check_pattern,
    "patternProperties": _check_named,
    "uniqueItems": _check_unique,
}
_Bounded = cast(
    "type[Validator]",
    extend(Draft202012Validator, {name: _in_time(check) for name, check in _KEYWORDS.items()}),
)
