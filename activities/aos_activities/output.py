"""Structured output: a model's text as JSON that fits a schema."""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validate
from pydantic import JsonValue
from referencing.exceptions import Unresolvable

from aos.provider import ModelResponse

_FENCE = re.compile(r"\s*```(?:json)?\s*(.*?)\s*```\s*", re.DOTALL)


def read_output(response: ModelResponse, schema: dict[str, Any] | None) -> tuple[JsonValue, str]:
    """Return the JSON in a final answer, and what is wrong with it or an empty text.

    Where there is no schema or the model calls tools first, there is nothing to read.
    """
    if schema is None or response.tool_calls:
        return None, ""
    fenced = _FENCE.fullmatch(response.text)
    try:
        output: JsonValue = json.loads(fenced[1] if fenced else response.text)
    except ValueError as error:
        return None, f"the reply is no JSON: {error}"
    try:
        validate(output, schema, cls=Draft202012Validator)
    except ValidationError as wrong:
        return None, f"the reply does not fit the schema at {wrong.json_path}: {wrong.message[:500]}"
    except Unresolvable as error:
        return None, f"the schema refers to what is not in it: {error}"
    return output, ""
