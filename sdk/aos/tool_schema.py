"""What a function's signature and docstring say about it, as a JSON schema and a model that checks arguments."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from docstring_parser import ParseError, parse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError

from aos.errors import InvalidInput, InvalidTool

_NOT_NAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, kw_only=True, eq=False)
class Signature:
    """What a function takes. `parameters` is the JSON schema of one object, `description` the docstring's own words."""

    description: str
    parameters: dict[str, Any]
    model: type[BaseModel]
    fields: Mapping[str, str]
    """Field of `model` by parameter."""

    def validate(self, tool: str, arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the arguments as the function wants them.

        Raises:
            InvalidInput: Some are wrong, missing or unknown; each is named.
        """
        try:
            checked = self.model.model_validate(dict(arguments))
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)
            problems = [f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in found]
            raise InvalidInput(f"arguments of {tool}", problems) from None
        return {parameter: getattr(checked, field) for parameter, field in self.fields.items()}


def read_signature(name: str, function: Callable[..., object]) -> Signature:
    """Return what `function` takes.

    Raises:
        InvalidTool: A parameter that a JSON object cannot give, or that has no annotation; a default that is
            not JSON or does not fit its annotation.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidTool(name, "it is a generator; return the whole result instead")
    hints = _hints(name, function)
    parameters = list(inspect.signature(function).parameters.values())
    definitions: dict[str, Any] = {}
    fields: dict[str, str] = {}
    for index, parameter in enumerate(parameters):
        if parameter.kind in _NOT_NAMED:
            kind = parameter.kind.description
            raise InvalidTool(name, f"parameter {parameter.name!r} is {kind}; make it one that is given by name")
        if parameter.name not in hints:
            raise InvalidTool(name, f"parameter {parameter.name!r} has no annotation, such as '{parameter.name}: str'")
        # Fields have names of their own: a parameter may be called `copy` or `_id`, which a model's field may not.
        field = fields[parameter.name] = f"parameter_{index}"
        annotated = Annotated[
            hints[parameter.name],
            Field(alias=parameter.name, validation_alias=parameter.name, serialization_alias=parameter.name),
        ]
        definitions[field] = annotated if parameter.default is parameter.empty else (annotated, parameter.default)
    for parameter in parameters:
        if parameter.default is not parameter.empty:
            _check_default(name, parameter, hints[parameter.name])
    try:
        model = create_model(name, __config__=ConfigDict(extra="forbid"), **definitions)
        schema = model.model_json_schema()
        json.dumps(schema, allow_nan=False)
    except (PydanticUserError, TypeError, ValueError) as error:
        raise InvalidTool(name, f"its annotations give no JSON schema: {error}") from error
    _leave_out_titles(schema)
    description, of_parameters = _read_docstring(name, function)
    for parameter, text in of_parameters.items():
        if parameter in fields and text:
            schema["properties"][parameter].setdefault("description", text)
    return Signature(description=description, parameters=schema, model=model, fields=fields)


def _leave_out_titles(schema: dict[str, Any]) -> None:
    """Drop the titles that pydantic makes of the names: every model call would pay for them."""
    for each in (schema, *schema.get("$defs", {}).values()):
        each.pop("title", None)
        for field in each.get("properties", {}).values():
            field.pop("title", None)


def _hints(name: str, function: Callable[..., object]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise InvalidTool(name, f"an annotation cannot be read: {error} at the top of its module") from error
    except TypeError as error:
        raise InvalidTool(name, f"an annotation cannot be read: {error}") from error


def _check_default(name: str, parameter: inspect.Parameter, hint: Any) -> None:
    try:
        adapter: TypeAdapter[object] = TypeAdapter(hint)
        written = adapter.dump_json(adapter.validate_python(parameter.default), warnings="error")
        adapter.validate_json(written)
    except (PydanticUserError, ValueError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        problem = f"the default of {parameter.name!r} is not JSON that fits its annotation: {why}"
        raise InvalidTool(name, problem) from error


def _read_docstring(name: str, function: Callable[..., object]) -> tuple[str, dict[str, str]]:
    text = inspect.getdoc(function) or ""
    in_words = re.sub(r"[._-]+", " ", name).strip()
    try:
        parsed = parse(text)
    except ParseError:
        return text or in_words, {}
    described = {each.arg_name: _one_line(each.description or "") for each in parsed.params}
    return (parsed.description or "").strip() or in_words, described


def _one_line(text: str) -> str:
    return " ".join(text.split())
