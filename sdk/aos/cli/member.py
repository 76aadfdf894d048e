"""Members of teams, as a command line says them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aos.errors import InvalidInput

FORMS = "NAME=ADDRESS, NAME=FILE or NAME:ROLE"
HELP = "One that lives already, one that is born from a YAML file, or a new agent with that role."

_FORM = re.compile(r"([^=:\s]+)([=:])(.*\S.*)", re.DOTALL)


def read_member(text: str) -> dict[str, Any]:
    """Return the member that `text` says, as one of a team's spec.

    Raises:
        InvalidInput: It has none of the forms, or its file does not hold one agent or team.
    """
    from aos.manifest import SUFFIXES

    found = _FORM.fullmatch(text.strip())
    if not found:
        raise InvalidInput(repr(text), [f"write {FORMS}, for instance critic=zoe or 'critic:Finds what is wrong.'"])
    name, sign, value = found[1], found[2], found[3].strip()
    if sign == ":":
        return {"name": name, "role": value, "agent": {"purpose": value}}
    if Path(value).suffix in SUFFIXES:
        return {"name": name, **_body(Path(value))}
    return {"name": name, "address": value}


def _body(path: Path) -> dict[str, Any]:
    from aos.manifest import load_specs
    from aos.spec import AgentSpec
    from aos.wire import without_defaults

    specs = load_specs(path)
    if len(specs) != 1:
        raise InvalidInput(str(path), [f"a member is one agent or team; it holds {len(specs)}"])
    return {"agent" if isinstance(specs[0], AgentSpec) else "team": without_defaults(specs[0])}
