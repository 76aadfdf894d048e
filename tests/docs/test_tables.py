"""Tables of the documentation hold what the code holds."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from aos.cloud_events import to_cloud_event
from aos.message import Message
from aos.names import TASK_QUEUE
from aos.spec import AgentSpec
from aos_activities.builtin import builtin_tools
from aos_workers.settings import Settings
from command_line import Command
from engine.noticeboard import NoticeBoard, unused
from pages.place import ROOT

DOCS = ROOT / "docs"


def _rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its own head."""
    text = (DOCS / page).read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    assert table, f"{page} has no table under {heading!r}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def _setting(name: str, field: FieldInfo) -> list[str]:
    default: object = field.get_default(call_default_factory=True)
    told = "none" if default in (None, "", [], {}) else f"`{str(default).replace('False', 'false')}`"
    return [
        f"`{name}`",
        " or ".join(f"`{variable}`" for variable in _variables(name, field)),
        "`~/.local/share/aos`" if name == "home" else told,
    ]


def _variables(name: str, field: FieldInfo) -> list[str]:
    match field.validation_alias:
        case None:
            return [f"AOS_{name.upper()}"]
        case AliasChoices(choices=choices):
            return [str(choice) for choice in choices]
        case alias:
            return [str(alias)]


def test_the_settings_are_told_with_their_variables_and_defaults() -> None:
    told = [row[:3] for row in _rows("operating.md", "Settings")]

    assert told == [_setting(name, field) for name, field in Settings.model_fields.items()]


def _spec_field(name: str, field: FieldInfo) -> list[str]:
    default = AgentSpec(name="any").model_dump(mode="json")[name]
    if isinstance(default, float):
        default = int(default)
    return [f"`{name}`", "required" if field.is_required() else f"`{json.dumps(default)}`"]


def test_the_fields_of_a_spec_are_told_with_their_defaults() -> None:
    told = [row[:2] for row in _rows("agents.md", "The fields of a spec")]

    assert told == [_spec_field(name, field) for name, field in AgentSpec.model_fields.items()]


def test_the_fields_of_a_message_are_told() -> None:
    told = {name for row in _rows("agents.md", "Messages") for name in re.findall(r"`(\w+)`", row[0])}

    assert told == set(Message.model_fields)


def test_the_attributes_of_a_message_as_a_cloud_event_are_told_with_their_fields() -> None:
    told = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in _rows("messaging.md", "As a CloudEvent")}
    given: dict[str, Any] = {"id": "m1", "sender": "agent/ada", "to": "agent/bob", "kind": "task", "priority": 1}
    given |= {"deadline": "2027-01-15T08:00:00Z", "reply_to": "agent/ada", "correlation": "m0", "task": "team/news#t"}
    given |= {"topic": "ships", "traceparent": "00-1-2-01"}
    event = to_cloud_event(Message.model_validate({"text": "x", **given}), time=datetime(2027, 1, 15, tzinfo=UTC))

    assert set(told) == set(event)
    for name, value in given.items():
        (attribute,) = [attribute for attribute, fields in told.items() if name in fields]
        assert str(value) in str(event[attribute])
        assert name not in event["data"]


def test_the_commands_are_told() -> None:
    told = {row[0].strip("`").removeprefix("aos ") for row in _rows("clients.md", "The `aos` command")}

    assert told == set(
        re.findall(r"^  ([a-z-]+)  +\S", Command()("--help").stdout.partition("Commands:")[2], re.MULTILINE)
    ) - {"aos"}


def test_the_built_in_tools_are_told_with_their_permissions() -> None:
    told = {row[0].strip("`"): row[1].strip("`") for row in _rows("tools.md", "Built-in tools")}
    served = {tool.name: tool.describe(TASK_QUEUE).policy.permission for tool in builtin_tools(NoticeBoard(), unused())}

    assert told == {**served, "recall": "", "read_result": ""}


def test_every_dependency_is_told_with_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = [each for extra in project["project"]["optional-dependencies"].values() for each in extra]
    develop = [each for each in project["dependency-groups"]["dev"] if each not in extras]
    wanted = [*project["project"]["dependencies"], *extras, *develop]
    names = [re.split(r"[\[<>=!~;]", each, maxsplit=1)[0] for each in wanted]
    told = {
        row[0].strip("`"): row[-2]
        for part in ("At run time", "At run time, where it is wanted", "For development")
        for row in _rows("dependencies.md", part)
    }

    assert list(told) == names
    for name in names:
        licence = distribution(name).metadata.json.get("license_expression", told[name])
        assert told[name].lower() == str(licence).lower(), f"{name} is under {licence}"


def test_every_link_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "examples/README.md", *DOCS.glob("*.md")]
    dead = [f"{page.name}: {link}" for page in pages for link in _links(page) if not (page.parent / link).exists()]

    assert not dead


def _links(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    return [link for link in found if not link.startswith("https://")]
