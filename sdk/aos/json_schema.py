"""JSON schemas that people give: checked in a time that grows with their size alone, for workflows check them too."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, cast

from pydantic import AfterValidator
from pydantic_core import to_json

from aos.json_value import check_json
from aos.limits import SCHEMA_BYTES, clip

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_PATTERN_CHARS = 500
_PLACE_CHARS = 100
# Linear-time engines, such as the one that checks what a model said, know none of these.
_LOOKS_ELSEWHERE = re.compile(r"\(\?(?:[=!(>]|<[=!]|P=)|\\[1-9]")


def check_schema(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return `schema` if it is a JSON schema, of the draft 2020-12.

    Raises:
        ValueError: It is none, is larger than `SCHEMA_BYTES`, or has a pattern that looks ahead or back.
    """
    if schema is None:
        return None
    check_json(schema)
    if (size := len(to_json(schema))) > SCHEMA_BYTES:
        raise ValueError(f"a JSON schema has at most {SCHEMA_BYTES} bytes, this one has {size}")
    left: list[tuple[str, object]] = [("", schema)]
    while left:
        place, each = left.pop()
        if isinstance(each, bool):
            continue
        if not isinstance(each, dict):
            raise _wrong(place, each, "an object or true or false")
        for keyword, value in cast("dict[str, object]", each).items():
            at = f"{place}/{keyword}"[-_PLACE_CHARS:]
            if keyword in _KEYWORDS:
                fits, wanted = _KEYWORDS[keyword]
                if not fits(value):
                    raise _wrong(at, value, wanted)
            left += [(f"{at}/{key}", inner) for key, inner in _inner(keyword, value)]
    return schema


OutputSchema = Annotated[dict[str, Any] | None, AfterValidator(check_schema)]
"""A JSON schema that a reply must fit, or None."""


def _inner(keyword: str, value: object) -> list[tuple[object, object]]:
    """Return the schemas within a keyword's value, each with its place there."""
    if keyword in _SCHEMA:
        return [("", value)]
    if keyword in _SCHEMAS:
        return list(enumerate(cast("list[object]", value)))
    if keyword in _NAMED_SCHEMAS:
        return list(cast("dict[object, object]", value).items())
    return []


def _wrong(place: str, value: object, wanted: str) -> ValueError:
    return ValueError(f"no JSON schema: {clip(place) or 'it'}: {clip(repr(value))} is not {wanted}")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return _is_number(value) and cast("float", value) >= 0 and cast("float", value) == int(cast("float", value))


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_names(value: object) -> bool:
    if not isinstance(value, list):
        return False
    names = cast("list[object]", value)
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _is_type(value: object) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    return _is_names(value) and bool(value) and _TYPES.issuperset(cast("list[str]", value))


def _is_pattern(value: object) -> bool:
    if not isinstance(value, str) or len(value) > _PATTERN_CHARS or _LOOKS_ELSEWHERE.search(value):
        return False
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _is_named_patterns(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_pattern, cast("dict[str, object]", value)))


def _is_named_names(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_names, cast("dict[str, object]", value).values()))


_SCHEMA = frozenset(
    {"additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED_SCHEMAS = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_TEXTS = frozenset(
    {"$id", "$schema", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$comment", "title", "description"}
    | {"format", "contentEncoding", "contentMediaType"}
)
_COUNTS = frozenset(
    f"{bound}{what}" for bound in ("min", "max") for what in ("Length", "Items", "Properties", "Contains")
)
_PATTERN = f"a pattern of at most {_PATTERN_CHARS} characters that looks neither ahead nor back"

_Rule = tuple[Callable[[object], bool], str]
_KEYWORDS: dict[str, _Rule] = {
    **dict.fromkeys(_SCHEMAS, (lambda value: _is_list(value) and bool(value), "a list of schemas")),
    **dict.fromkeys(_NAMED_SCHEMAS, (lambda value: isinstance(value, dict), "an object of schemas")),
    **dict.fromkeys(_TEXTS, (_is_text, "a text")),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"), (_is_number, "a number")),
    **dict.fromkeys(_COUNTS, (_is_count, "a count")),
    **dict.fromkeys(
        ("uniqueItems", "deprecated", "readOnly", "writeOnly"), (lambda value: isinstance(value, bool), "true or false")
    ),
    **dict.fromkeys(("enum", "examples"), (_is_list, "a list")),
    "multipleOf": (lambda value: _is_number(value) and cast("float", value) > 0, "a number above 0"),
    "required": (_is_names, "a list of names, each once"),
    "type": (_is_type, f"one or several of {', '.join(sorted(_TYPES))}"),
    "pattern": (_is_pattern, _PATTERN),
    "patternProperties": (_is_named_patterns, f"an object whose names are each {_PATTERN}"),
    "dependentRequired": (_is_named_names, "an object of lists of names"),
    "dependencies": (lambda value: False, "known any more; write dependentRequired or dependentSchemas"),
}
