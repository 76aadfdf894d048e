"""Structured output: a model's final answer as JSON that fits a schema."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from aos.provider import ModelResponse


def read_output(response: ModelResponse, schema: dict[str, Any] | None) -> tuple[JsonValue, str]:
    """Return the JSON in a final answer, and what is wrong with it or an empty text.

    Where there is no schema or the model calls tools first, there is nothing to read.
    """
    if schema is None or response.tool_calls:
        return None, ""
    # Loaded where it is needed, for few agents have a schema.
    from aos_activities.schema_check import checked

    return checked(response.text, schema)
