from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError, validate

from aos.schemas import FOLDER, published

PUBLISHED = published()


def _fits(schema: dict[str, Any], value: object) -> bool:
    try:
        validate(value, schema, cls=Draft202012Validator)
    except ValidationError:
        return False
    return True


def test_the_schemas_in_the_package_are_those_of_the_models() -> None:
    written = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FOLDER.glob("*.json")}
    assert written == PUBLISHED, "run `python -m aos.schemas`"


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_published_schema_is_a_valid_one(name: str) -> None:
    Draft202012Validator.check_schema(PUBLISHED[name])


def test_the_schema_of_an_agent_takes_what_people_type_and_refuses_what_is_wrong() -> None:
    agent = PUBLISHED["agent"]
    triggers = [{"type": "interval", "every": "15m"}, {"type": "cron", "cron": "0 9 * * *"}]
    assert _fits(agent, {"name": "ada", "triggers": triggers, "patience": "2m", "output_schema": {"type": "object"}})
    assert not _fits(agent, {"purpose": "no name"})
    assert not _fits(agent, {"name": "ada", "purpos": "x"})


def test_the_schema_of_changes_needs_a_field_and_takes_no_name() -> None:
    changes = PUBLISHED["changes"]
    assert _fits(changes, {"max_steps": 3})
    assert not _fits(changes, {})
    assert not _fits(changes, {"name": "ben"})


def test_the_texts_beneath_the_fields_are_their_descriptions() -> None:
    fields = PUBLISHED["agent"]["properties"]
    assert fields["max_steps"]["description"] == "Model calls for one message, at most."
    assert "default" not in PUBLISHED["changes"]["properties"]["max_steps"]
