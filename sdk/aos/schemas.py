"""JSON schemas of what people type into AOS and of what it shows, for editors, validators and other languages.

`python -m aos.schemas` writes them into the package, from where `aos schema` prints them.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from aos.control import Letters, Lookup, Stop
from aos.memory_use import MemoryRequest, MemoryResult
from aos.message import Event, Message, Reply, Sequence
from aos.spec import AgentSpec
from aos.team_control import EndTask, RosterChanges, TaskLookup, TeamChanges
from aos.team_spec import TeamSpec
from aos.team_views import TaskList, TaskReport, TeamFarewell, TeamStatus
from aos.topic import Subscribers, Subscription, TopicFarewell, TopicSpec, TopicStatus, Unsubscribe
from aos.views import AgentStatus, DeadLetters, Farewell, InboxView, LettersSettled, TranscriptPage, TranscriptView

FOLDER = Path(__file__).with_name("json_schemas")

_MODELS: Mapping[str, type[BaseModel]] = {
    # what people type
    "agent": AgentSpec,
    "message": Message,
    "event": Event,
    "stop": Stop,
    "sequence": Sequence,
    "replies": Lookup,
    "letters": Letters,
    "team": TeamSpec,
    "team-changes": TeamChanges,
    "roster-changes": RosterChanges,
    "task": TaskLookup,
    "end-task": EndTask,
    "topic": TopicSpec,
    "subscription": Subscription,
    "unsubscribe": Unsubscribe,
    "memory-request": MemoryRequest,
    # what they are shown
    "reply": Reply,
    "status": AgentStatus,
    "inbox": InboxView,
    "dead-letters": DeadLetters,
    "transcript": TranscriptView,
    "log": TranscriptPage,
    "farewell": Farewell,
    "letters-settled": LettersSettled,
    "team-status": TeamStatus,
    "tasks": TaskList,
    "task-report": TaskReport,
    "team-farewell": TeamFarewell,
    "topic-status": TopicStatus,
    "subscribers": Subscribers,
    "topic-farewell": TopicFarewell,
    "memory-result": MemoryResult,
}


def published() -> dict[str, dict[str, Any]]:
    """Return every published schema by its name, made from the models as they are now."""
    schemas = {name: _schema(model) for name, model in _MODELS.items()}
    schemas["changes"] = _changes(schemas["agent"])
    return dict(sorted(schemas.items()))


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"$schema": _Described.schema_dialect, **model.model_json_schema(schema_generator=_Described)}


def _changes(agent: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, dict[str, Any]] = {name: dict(field) for name, field in agent["properties"].items()}
    del fields["name"]
    for field in fields.values():
        field.pop("default", None)
    text = "Fields of an agent's spec that change while it lives; those not named stay as they are."
    without = {name: value for name, value in agent.items() if name != "required"}
    return {**without, "title": "Changes", "description": text, "properties": fields, "minProperties": 1}


class _Described(GenerateJsonSchema):
    """Takes the texts beneath the fields as their descriptions."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model."""
        json_schema = super().model_schema(schema)
        texts = _texts(schema["cls"])
        for name, field in json_schema.get("properties", {}).items():
            if name in texts:
                field.setdefault("description", texts[name])
        return json_schema


def _texts(model: type[BaseModel]) -> dict[str, str]:
    (definition,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(definition, ast.ClassDef)
    texts: dict[str, str] = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                texts[name] = " ".join(said.split())
            case _:
                pass
    return texts


def write(folder: Path = FOLDER) -> None:
    """Write every published schema into `folder`, and delete what is published no more."""
    folder.mkdir(exist_ok=True)
    schemas = published()
    for file in folder.glob("*.json"):
        if file.stem not in schemas:
            file.unlink()
    for name, schema in schemas.items():
        (folder / f"{name}.json").write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
