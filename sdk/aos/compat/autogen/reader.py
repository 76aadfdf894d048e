"""From a file or an object of AutoGen's to a checked spec of AOS."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from aos.compat.autogen.loading import Json, LeftOut, Loading, NotData
from aos.compat.autogen.teams import read_member
from aos.limits import clip
from aos.reading import problems
from aos.spec import AgentSpec
from aos.team_spec import TeamSpec

M = TypeVar("M", bound=BaseModel)

FILE_BYTES = 8 * 1024 * 1024
"""Largest file that is read."""


def load_autogen(
    source: Path | str | Mapping[str, object],
    *,
    name: str = "",
    tools: Mapping[str, str] | None = None,
    members: Mapping[str, str] | None = None,
    models: Mapping[str, str] | None = None,
) -> TeamSpec | AgentSpec:
    """Return the team, or the agent, in AutoGen's component JSON.

    Args:
        source: A file with the JSON, or the object itself, as `team.dump_component().model_dump()` gives it.
        name: What to call it; without one, as AutoGen does.
        tools: For names of AutoGen's tools, and classes of conditions of one's own, the tools of an application that
            stand for them: `{"lookup": "travel/lookup"}`.
        members: For names of agents, the addresses of those that live already and stand for them.
        models: For names of models or classes of model clients, the models that stand for them; `*` for all others.

    Raises:
        NotData: Something in it cannot be loaded; each place is named with what replaces it.

    Warns:
        LeftOut: Something in it is done in another way.
    """
    what, given = _read(source)
    loading = Loading(tools or {}, members or {}, models or {})
    spec = None
    try:
        member = read_member(loading, given, "component")
        if member and not loading.problems:
            spec = _checked(loading, member, name)
    except RecursionError:
        loading.refuse("component", "it is nested too deeply")
    if loading.problems or spec is None:
        raise NotData(what, loading.problems)
    for note in loading.notes:
        warnings.warn(note, LeftOut, stacklevel=2)
    return spec


def _read(source: Path | str | Mapping[str, object]) -> tuple[str, object]:
    if isinstance(source, Mapping):
        return "AutoGen component", source
    path = Path(source)
    try:
        if (size := path.stat().st_size) > FILE_BYTES:
            raise NotData(str(path), [f"it has {size} bytes, the limit is {FILE_BYTES}"])
        return str(path), json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise NotData(str(path), [f"it cannot be read: {error.strerror or error}"]) from None
    except UnicodeDecodeError:
        raise NotData(str(path), ["it is not UTF-8 text"]) from None
    except RecursionError:
        raise NotData(str(path), ["it is nested too deeply"]) from None
    except ValueError as error:
        raise NotData(str(path), [f"it is not valid JSON: {error}; it is what dump_component() gives"]) from None


def _checked(loading: Loading, member: Json, name: str) -> TeamSpec | AgentSpec | None:
    called = name or member["name"]
    if "address" in member:
        loading.refuse("component", f"{member['address']} lives already; there is nothing to load")
        return None
    if "agent" in member:
        return _valid(loading, AgentSpec, {"name": called, **member["agent"]})
    return _valid(loading, TeamSpec, {"name": called, **member["team"]})


def _valid(loading: Loading, model: type[M], spec: Json) -> M | None:
    """Return what `spec` is. What is wrong with it now is named as it stands in AOS."""
    try:
        return model.model_validate(spec)
    except ValidationError as error:
        for problem in problems(model, error):
            loading.refuse(f"as {model.__name__}", clip(problem, 1000))
        return None
