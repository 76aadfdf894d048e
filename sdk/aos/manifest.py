"""Agents and teams as YAML files: what is wrong is named with file, line, column and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, cast

import yaml
from pydantic import BaseModel, ValidationError

from aos.control import Changes
from aos.errors import InvalidInput
from aos.limits import SPEC_BYTES
from aos.reading import Problem, located
from aos.spec import AgentSpec
from aos.team_spec import TeamSpec
from aos.wire import without_defaults
from aos.yaml_document import Document, YamlProblem, documents

M = TypeVar("M", bound=BaseModel)

SUFFIXES = (".yaml", ".yml", ".json")
"""How the names of agents' files end."""


def load_agent(path: Path | str) -> AgentSpec:
    """Return the one agent in a file.

    Raises:
        InvalidInput: The file cannot be read, holds none or several, or does not fit.
    """
    found = load_agents(path)
    if len(found) > 1:
        raise InvalidInput(str(path), [f"it holds {len(found)} agents: {', '.join(spec.name for spec in found)}"])
    return found[0]


def load_agents(path: Path | str) -> list[AgentSpec]:
    """Return the agents in a file, where `---` stands between two, or those in all the files of a folder.

    Raises:
        InvalidInput: A file cannot be read, or an agent in it does not fit, or two have one name, or there is none.
    """
    specs = load_specs(path)
    agents = [spec for spec in specs if isinstance(spec, AgentSpec)]
    if len(agents) < len(specs):
        teams = ", ".join(spec.name for spec in specs if isinstance(spec, TeamSpec))
        raise InvalidInput(str(path), [f"agents only are wanted, and it holds teams: {teams}"])
    return agents


def load_specs(path: Path | str) -> list[AgentSpec | TeamSpec]:
    """Return the agents and teams in a file or a folder, as they stand there. What has `members` is a team.

    Raises:
        InvalidInput: A file cannot be read, or one does not fit, or two of a kind have one name, or there is none.
    """
    path = Path(path)
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES) if path.is_dir() else [path]
    places: dict[tuple[str, str], str] = {}
    specs: list[AgentSpec | TeamSpec] = []
    for file in files:
        for document in _documents(file):
            is_team = _is_team(document)
            spec = _read(TeamSpec, file, document) if is_team else _read(AgentSpec, file, document)
            kind, place = "team" if is_team else "agent", f"{file}:{document.place_of(('name',))}"
            if taken := places.get((kind, spec.name)):
                raise InvalidInput(place, [f"name: {spec.name!r} is taken by the {kind} at {taken}"])
            places[kind, spec.name] = place
            specs.append(spec)
    if not specs:
        wanted = "a file such as ada.yaml is needed in it" if path.is_dir() else "`name: ada` is enough for one"
        raise InvalidInput(str(path), [f"there is no agent in it; {wanted}"])
    return specs


def load_team(path: Path | str) -> TeamSpec:
    """Return the one team in a file.

    Raises:
        InvalidInput: The file cannot be read, holds none or several, or does not fit.
    """
    path = Path(path)
    found = _documents(path)
    if len(found) != 1:
        raise InvalidInput(str(path), [f"one YAML document is needed, with a team in it; it has {len(found)}"])
    return _read(TeamSpec, path, found[0])


def as_yaml(spec: AgentSpec | TeamSpec) -> str:
    """Return an agent or a team as YAML that can be loaded again, without what has its default."""
    return yaml.safe_dump(without_defaults(spec), sort_keys=False, allow_unicode=True, width=100).rstrip()


def load_changes(path: Path | str) -> dict[str, object]:
    """Return the changes to an agent's spec in a file, as `AosClient.configure` takes them.

    Raises:
        InvalidInput: The file cannot be read, or a field in it cannot be one of an agent.
    """
    path = Path(path)
    found = _documents(path)
    if len(found) != 1:
        raise InvalidInput(str(path), [f"one YAML document is needed, with the fields to change; it has {len(found)}"])
    changes = _read(Changes, path, found[0]).root
    _read(AgentSpec, path, found[0], given={"name": "any"})
    return changes


def read_setting(text: str) -> tuple[str, object]:
    """Return the field and the value in `field=value`. The value is YAML, save for fields that are texts.

    Raises:
        InvalidInput: It is nothing of that form.
    """
    field, equals, value = text.partition("=")
    if not equals or not field.strip():
        raise InvalidInput(repr(text), ["write field=value, for instance max_steps=10 or 'tools=[current_time]'"])
    field = field.strip()
    if field in AgentSpec.model_fields and AgentSpec.model_fields[field].annotation is str:
        return field, value
    try:
        found = documents(value)
    except YamlProblem as error:
        raise InvalidInput(repr(text), [f"the value is not valid YAML: {error.text}"]) from None
    return field, found[0].value if found else None


def _is_team(document: Document) -> bool:
    value: object = document.value
    return isinstance(value, dict) and "members" in cast("dict[object, object]", value)


def _documents(path: Path) -> list[Document]:
    try:
        size = path.stat().st_size
        if size > SPEC_BYTES:
            raise InvalidInput(str(path), [f"it has {size} bytes, the limit is {SPEC_BYTES}; split it into more files"])
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(str(path), ["it is not UTF-8 text"]) from None
    except OSError as error:
        raise InvalidInput(str(path), [f"it cannot be read: {error.strerror or error}"]) from None
    try:
        return documents(text)
    except YamlProblem as error:
        raise InvalidInput(f"{path}:{error.place}", [error.text]) from None


def _read(model: type[M], path: Path, document: Document, given: Mapping[str, object] | None = None) -> M:
    value = document.value
    try:
        return model.model_validate({**given, **value} if given and isinstance(value, dict) else value)
    except ValidationError as error:
        wrong = [(document.place_of(p.place, key=p.kind == "extra_forbidden"), p) for p in located(model, error)]
    first, *others = sorted(
        ((place, _with_remedy(problem, document)) for place, problem in wrong), key=lambda sentence: sentence[0]
    )
    raise InvalidInput(f"{path}:{first[0]}", [first[1], *(f"{path}:{place}: {text}" for place, text in others)])


def _with_remedy(problem: Problem, document: Document) -> str:
    if problem.kind == "string_type" and document.is_bare(problem.place):
        return f"{problem}; put it in quotes"
    return str(problem)
