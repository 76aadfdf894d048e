"""Reading JSON schemas: types, references and whether a value conforms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from pydantic import JsonValue

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

Json = JsonValue
_REFERENCES = 32
_TYPE_OF_KEY = {
    "properties": "object", "required": "object", "additionalProperties": "object", "minProperties": "object",
    "items": "array", "prefixItems": "array", "minItems": "array", "maxItems": "array", "uniqueItems": "array",
    "minimum": "number", "maximum": "number", "multipleOf": "number", "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
}  # fmt: skip


def mapping(value: object) -> dict[str, Json]:
    """Return `value` if it is a JSON object, else an empty one."""
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def listing(value: object) -> list[Json]:
    """Return `value` if it is a JSON array, else an empty one."""
    return cast("list[Json]", value) if isinstance(value, list) else []


def names(value: object) -> list[str]:
    """Return the texts in a JSON array."""
    return [each for each in listing(value) if isinstance(each, str)]


def entry(schema: Mapping[str, object], key: str) -> object:
    """Return what a schema says under `key`, or None."""
    return schema.get(key)


def resolve(schema: Mapping[str, object], root: Mapping[str, object]) -> dict[str, Json]:
    """Return `schema` with its reference into `root`, its `allOf` and its only choice besides null put in place."""
    found = mapping(dict(schema))
    for _ in range(_REFERENCES):
        reference = found.get("$ref")
        if isinstance(reference, str):
            found = _merged({key: each for key, each in found.items() if key != "$ref"}, _target(reference, root))
        elif parts := listing(found.get("allOf")):
            found = {key: each for key, each in found.items() if key != "allOf"}
            for part in parts:
                found = _merged(found, mapping(part))
        else:
            options = [mapping(each) for each in listing(found.get("anyOf")) or listing(found.get("oneOf"))]
            real = [each for each in options if each.get("type") != "null"]
            if len(real) != 1 or not options:
                break
            found = _merged({key: each for key, each in found.items() if key not in ("anyOf", "oneOf")}, real[0])
    return found


def type_of(schema: Mapping[str, object]) -> str:
    """Return the type that a resolved schema asks for, null aside; `string` where it leaves that open."""
    kind = entry(schema, "type")
    kinds = [kind] if isinstance(kind, str) else names(kind)
    for each in kinds:
        if each != "null":
            return each
    return kinds[0] if kinds else next((_TYPE_OF_KEY[key] for key in schema if key in _TYPE_OF_KEY), "string")


def validator(root: Mapping[str, object]) -> Validator:
    """Return a validator that never looks beyond `root` itself: an empty registry fetches nothing."""
    # Loaded where it is needed: the library is a tenth of the start of a worker.
    from jsonschema.validators import validator_for
    from referencing import Registry

    return validator_for(dict(root))(dict(root), registry=Registry())


def valid(checker: Validator, value: Json, schema: object) -> bool:
    """Return whether `value` fits `schema`, a part of the checker's schema; not if that cannot be told."""
    from jsonschema.exceptions import UnknownType
    from referencing.exceptions import Unresolvable

    part = cast("Mapping[str, Json]", schema)
    try:
        # The stubs leave the arguments of evolve untyped.
        evolve = cast("Callable[..., Validator]", checker.evolve)  # pyright: ignore[reportUnknownMemberType]
        return evolve(schema=part).is_valid(value)
    except (Unresolvable, UnknownType, re.error, RecursionError, OverflowError):
        return False


def conforms(value: Json, schema: object, root: Mapping[str, object]) -> bool:
    """Return whether `value` fits `schema`, a part of `root`."""
    return valid(validator(root), value, schema)


def _target(reference: str, root: Mapping[str, object]) -> dict[str, Json]:
    place: object = root
    for part in unquote(reference.removeprefix("#")).split("/")[1:]:
        place = mapping(place).get(part.replace("~1", "/").replace("~0", "~"))
    return mapping(place) if reference.startswith("#") else {}


def _merged(first: Mapping[str, Json], second: Mapping[str, Json]) -> dict[str, Json]:
    merged = {**second, **first}
    for key in ("properties", "$defs"):
        if key in first and key in second:
            merged[key] = {**mapping(second[key]), **mapping(first[key])}
    if "required" in first and "required" in second:
        merged["required"] = list(dict.fromkeys([*listing(second["required"]), *listing(first["required"])]))
    return merged
