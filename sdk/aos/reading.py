"""Reading what people typed: one clear error for whatever is wrong."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from aos.errors import InvalidInput

M = TypeVar("M", bound=BaseModel)

_PROBLEMS = 10


def read_json(model: type[M], what: str, data: bytes | str, limit: int) -> M:
    """Return the `model` in the JSON `data`.

    Raises:
        InvalidInput: `data` is over `limit` bytes, or no JSON, or does not fit; every wrong field is named.
    """
    size = len(data)
    if size > limit:
        raise InvalidInput(what, [f"it has {size} bytes, the limit is {limit}; keep what is long in a document"])
    if not data:
        raise InvalidInput(what, [f"it is empty; it takes one JSON object, with the fields {_fields(model)}"])
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise InvalidInput(what, problems(model, error)) from None


def read_object(model: type[M], what: str, data: object) -> M:
    """Return the `model` in `data`, which came from YAML or Python.

    Raises:
        InvalidInput: It does not fit; every wrong field is named.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(what, problems(model, error)) from None


def problems(model: type[BaseModel], error: ValidationError) -> list[str]:
    """Return one sentence for each wrong field, with its place and what belongs there."""
    sentences: list[str] = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False)[:_PROBLEMS]:
        place = ".".join(str(part) for part in detail["loc"])
        match detail["type"]:
            case "extra_forbidden":
                sentences.append(f"{place}: there is no such field{_hint(place, model)}")
            case "missing":
                sentences.append(f"{place}: this field is required")
            case "json_invalid":
                sentences.append(f"it is not valid JSON: {detail['msg'].removeprefix('Invalid JSON: ')}")
            case "model_type" | "model_attributes_type" | "dict_type":
                sentences.append(f"{place or 'it'}: an object is needed here, with the fields {_fields(model)}")
            case _:
                sentences.append(f"{place or 'it'}: {detail['msg'].removeprefix('Value error, ')}")
    return sentences


def _hint(place: str, model: type[BaseModel]) -> str:
    import difflib

    if "." in place:
        return ""
    close = difflib.get_close_matches(place, list(model.model_fields), 1)
    return f"; did you mean {close[0]!r}?" if close else f"; the fields are {_fields(model)}"


def _fields(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)
