"""Tool calls as the wire wants them: names and ids that every provider takes, and one result for each call."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from pydantic_core import to_json

from aos.conversation import AssistantItem, Item, NoteItem, SummaryItem, ToolCall, ToolItem, UserItem
from aos.json_value import check_json
from aos.limits import ARGUMENTS_BYTES, clip, cut_bytes
from aos.provider import ToolSchema

_NAME_CHARS = 64
_ID_CHARS = 40
_MALFORMED_BYTES = 4096
_STEP_BYTES = 512 * 1024
CALLS_PER_STEP = 128
LONGEST_NAME = 200
"""Characters of a tool's name that are kept of what a model says; no tool has as many."""

LONGEST_ID = 200
"""Characters of a call's id, beyond which it gets another."""

_REFUSED = re.compile(r"[^A-Za-z0-9_-]")

NO_RESULT = "There is no result: the call was not carried out."


def wire_name(name: str) -> str:
    """Return `name` if every provider takes it as a tool's name, else a stand-in that is the same each time."""
    return _fitted(name, _NAME_CHARS)


def wire_id(call_id: str) -> str:
    """Return `call_id` if every provider takes it as a call's id, else a stand-in that is the same each time."""
    return _fitted(call_id, _ID_CHARS)


def _fitted(text: str, limit: int) -> str:
    fitted = _REFUSED.sub("_", text)[:limit]
    if text and fitted == text:
        return text
    mark = "_" + hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
    return fitted[: limit - len(mark)] + mark


def wire_parameters(tool: ToolSchema) -> dict[str, Any]:
    """Return the tool's parameters as the schema of an object, which some providers want said in full."""
    return {"type": "object", "properties": {}, **tool.parameters}


def repaired(calls: Sequence[ToolCall], items: Sequence[Item]) -> list[ToolCall]:
    """Return `calls` with ids that occur once, neither empty nor used in `items` already.

    A fresh id is `call_<n>`, where n counts the calls of the conversation, so that the same answer to the same
    conversation always has the same ids.
    """
    taken = {call.id for item in items if isinstance(item, AssistantItem) for call in item.tool_calls}
    kept = {call.id for call in calls} | taken
    number = len(taken)
    result: list[ToolCall] = []
    for call in calls:
        number += 1
        if not call.id or call.id in taken:
            while f"call_{number}" in kept:
                number += 1
            call = call.model_copy(update={"id": f"call_{number}"})
        taken.add(call.id)
        kept.add(call.id)
        result.append(call)
    return result


def read_arguments(text: str) -> tuple[dict[str, Any], str]:
    """Return the JSON object in `text` and an empty text, or an empty object and the malformed `text`.

    No text at all is how models call a tool without parameters.
    """
    if not text.strip():
        return {}, ""
    try:
        value = check_json(cast(object, json.loads(text)))
        written = len(json.dumps(value, ensure_ascii=False).encode())
    except (ValueError, RecursionError):
        return {}, cut_bytes(clean(text), _MALFORMED_BYTES)
    if written > ARGUMENTS_BYTES:
        return {}, f"({written} bytes of JSON, where the limit is {ARGUMENTS_BYTES}) {clip(text)}"
    return (cast(dict[str, Any], value), "") if isinstance(value, dict) else ({}, cut_bytes(text, _MALFORMED_BYTES))


def bounded(calls: Sequence[ToolCall]) -> list[ToolCall]:
    """Return as many of the calls as one step carries out, and of their arguments what history can hold."""
    room, kept = _STEP_BYTES, list[ToolCall]()
    for call in calls[:CALLS_PER_STEP]:
        if problem := _problem_of(call.arguments):
            call = ToolCall(id=call.id, name=call.name, malformed=problem)
        room -= len(call.model_dump_json().encode())
        if room < 0:
            text = f"(the calls of one step may have {_STEP_BYTES} bytes together)"
            call = ToolCall(id=call.id, name=call.name, malformed=text)
        kept.append(call)
    return kept


def _problem_of(arguments: dict[str, Any]) -> str:
    try:
        written = len(to_json(check_json(arguments)))
    except ValueError as error:
        return f"({error})"
    return f"({written} bytes of JSON, where the limit is {ARGUMENTS_BYTES})" if written > ARGUMENTS_BYTES else ""


def clean(text: str) -> str:
    """Return `text` as it can be written in UTF-8: halves of surrogate pairs are joined or replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def answered(items: Sequence[Item]) -> Iterator[Item]:
    """Yield `items` so that each tool call is followed at once by its one result.

    What was said between a call and its result comes after the results. A call without a result gets one that
    says so; a result without a call becomes a note.
    """
    pending: dict[str, ToolCall] = {}
    results: dict[str, ToolItem] = {}
    later: list[Item] = []

    def settled() -> Iterator[Item]:
        for call in pending.values():
            yield results.get(call.id) or ToolItem(call_id=call.id, name=call.name, text=NO_RESULT, error=True)
        yield from later
        pending.clear()
        results.clear()
        later.clear()

    for item in items:
        match item:
            case ToolItem() if item.call_id in pending and item.call_id not in results:
                results[item.call_id] = item
            case ToolItem():
                later.append(NoteItem(text=f"The tool {item.name} answered: {item.text}"))
            case AssistantItem():
                yield from settled()
                yield item
                pending.update({call.id: call for call in item.tool_calls})
            case UserItem() | NoteItem() | SummaryItem():
                later.append(item)
        if len(results) == len(pending):
            yield from settled()
    yield from settled()
