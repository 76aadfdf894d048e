"""Reading what people typed: one clear error for whatever is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError

from aos.errors import InvalidInput

M = TypeVar("M", bound=BaseModel)
Place = tuple[int | str, ...]

_PROBLEMS = 10
_EXAMINED = 100
_WORD_CHARS = 100
_TEXT_CHARS = 500
_TOO_DEEP = "it is nested too deeply"

_GROWTH = 5
"""What is read may be longer when it is written again, but not that many times: `1e15` becomes 1000000000000000.0."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: its place, pydantic's name for its kind, and a sentence that says what belongs there."""

    place: Place
    kind: str
    text: str

    def __str__(self) -> str:
        where = ".".join(_shown(str(part), _WORD_CHARS) for part in self.place)
        text = _shown(self.text, _TEXT_CHARS)
        return f"{where}: {text}" if where else text


def read_json(model: type[M], what: str, data: bytes | str, limit: int) -> M:
    """Return the `model` in the JSON `data`.

    Raises:
        InvalidInput: `data` is over `limit` bytes, or no JSON, or does not fit; every wrong field is named.
    """
    _check_length(what, len(data), limit)
    if not data:
        raise InvalidInput(what, [f"it is empty; it takes one JSON object, with the fields {_fields(model)}"])
    try:
        read = model.model_validate_json(data)
    except ValidationError as error:
        raise InvalidInput(what, problems(model, error)) from None
    except RecursionError:
        raise InvalidInput(what, [_TOO_DEEP]) from None
    if len(data) * _GROWTH > limit:
        check_size(what, read, limit)
    return read


def read_object(model: type[M], what: str, data: object) -> M:
    """Return the `model` in `data`, which came from YAML or Python.

    Raises:
        InvalidInput: It does not fit; every wrong field is named.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(what, problems(model, error)) from None
    except RecursionError:
        raise InvalidInput(what, [_TOO_DEEP]) from None


def check_size(what: str, value: BaseModel, limit: int) -> None:
    """Check that `value` is at most `limit` bytes as JSON.

    Raises:
        InvalidInput: It is larger, or cannot be written at all.
    """
    try:
        size = len(value.model_dump_json().encode())
    except PydanticSerializationError as error:
        raise InvalidInput(what, [f"it cannot be written as JSON: {_shown(str(error), _TEXT_CHARS)}"]) from None
    _check_length(what, size, limit)


def _check_length(what: str, size: int, limit: int) -> None:
    if size > limit:
        raise InvalidInput(what, [f"it has {size} bytes, the limit is {limit}; keep what is long in a document"])


def problems(model: type[BaseModel], error: ValidationError) -> list[str]:
    """Return one sentence for each wrong field, with its place and what belongs there."""
    return [str(problem) for problem in located(model, error)]


def located(model: type[BaseModel], error: ValidationError) -> list[Problem]:
    """Return every wrong field, ten at most, with the place where a person finds it in what they typed."""
    details = error.errors(include_url=False, include_input=False)[:_EXAMINED]
    found = [_problem(model, detail) for detail in details]
    inner = {problem.place[:-1] for problem in found if problem.kind in {"missing", "extra_forbidden"}}
    # An object that fits no branch of a union is told about its fields, not that it might have been a word.
    return [p for p in found if not (p.kind == "literal_error" and p.place in inner)][:_PROBLEMS]


def _problem(model: type[BaseModel], detail: ErrorDetails) -> Problem:
    place, at = _follow(model, detail["loc"])
    text = _sentence(detail, at)
    if detail["type"] == "extra_forbidden":
        text += _hint(detail["loc"], _follow(model, detail["loc"][:-1])[1])
    if detail["type"] == "union_tag_invalid":
        place = (*place, _context(detail)["discriminator"].strip("'"))
    field, colon, rest = text.partition(": ")
    if not place and colon and field in model.model_fields:
        place, text = (field,), rest
    if not place and detail["type"] not in {"value_error", "json_invalid", "model_type", "dict_type"}:
        text = f"it: {text}"
    return Problem(place, detail["type"], text)


def _sentence(detail: ErrorDetails, at: object) -> str:
    message, context = detail["msg"], _context(detail)
    match detail["type"]:
        case "extra_forbidden":
            return "there is no such field"
        case "missing":
            return "this field is required"
        case "json_invalid":
            return f"it is not valid JSON: {message.removeprefix('Invalid JSON: ')}"
        case "model_type" | "model_attributes_type" | "dict_type":
            known = _model(at)
            return "an object is needed here" + (f", with the fields {_fields(known)}" if known else "")
        case "string_type":
            return "a text is needed here"
        case "list_type":
            return "a list is needed here"
        case "union_tag_not_found":
            return f"it needs the field {context['discriminator']}, which says what it is"
        case "union_tag_invalid":
            tags = context["expected_tags"]
            tag = context["tag"][:_WORD_CHARS]
            close = get_close_matches(tag, tags.replace("'", "").split(", "), 1)
            return f"{tag!r} is none of {tags}" + (f"; did you mean {close[0]!r}?" if close else "")
        case _:
            return message.removeprefix("Value error, ").replace("Input should", "it should")


def _shown(text: str, limit: int) -> str:
    """Return `text` so that it can be written anywhere: not too long, and without halves of characters."""
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return text.encode(errors="backslashreplace").decode()


def _context(detail: ErrorDetails) -> Mapping[str, str]:
    return {key: str(value) for key, value in detail.get("ctx", {}).items()}


def _follow(model: type[BaseModel], loc: Place) -> tuple[Place, object]:
    """Return `loc` without the names that pydantic gives to branches of a union, and the type that belongs there."""
    place: list[int | str] = []
    at: object = model
    for part in loc:
        at = _bare(at)
        if get_origin(at) in {Union, UnionType}:
            at = next((branch for branch in map(_bare, get_args(at)) if _is_called(branch, part)), None)
            continue
        place.append(part)
        if (known := _model(at)) and part in known.model_fields:
            at = known.model_fields[str(part)].annotation
        else:
            at = get_args(at)[-1] if get_origin(at) in {list, dict} else None
    return tuple(place), _bare(at)


def _bare(annotation: object) -> object:
    """Return a type without `Annotated` around it and without `| None`, which leave no trace in a place."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        branches = [branch for branch in get_args(annotation) if branch is not NoneType]
        return _bare(branches[0]) if len(branches) == 1 else annotation
    return annotation


def _is_called(branch: object, name: int | str) -> bool:
    known = _model(branch)
    if known is None:
        return False
    types = [field.annotation for field in known.model_fields.values()]
    return known.__name__ == name or any(get_origin(type_) is Literal and name in get_args(type_) for type_ in types)


def _model(annotation: object) -> type[BaseModel] | None:
    if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
        return None
    return None if annotation.__pydantic_root_model__ else annotation


def _hint(loc: Place, owner: object) -> str:
    known = _model(owner)
    if known is None or not loc:
        return ""
    close = get_close_matches(str(loc[-1])[:_WORD_CHARS], list(known.model_fields), 1)
    return f"; did you mean {close[0]!r}?" if close else f"; the fields are {_fields(known)}"


def _fields(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)
