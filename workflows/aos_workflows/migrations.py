"""States of earlier versions, brought up to this one.

When a field of `AgentState` changes its meaning, raise `SCHEMA_VERSION`, add the step from the version before to
`MIGRATIONS`, and add a golden state of the old version to the tests. A field that is only added needs a default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aos_workflows.state import SCHEMA_VERSION, AgentState

State = dict[str, Any]

MIGRATIONS: dict[int, Callable[[State], State]] = {}
"""From a version to the next one."""


class UnknownSchema(ValueError):
    """A state that a later version of AOS wrote."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"this state has schema {version}, these workers know up to {SCHEMA_VERSION}; "
            "a newer AOS wrote it, so run its workers"
        )


def dump_state(state: AgentState) -> State:
    """Return `state` as the JSON object that crosses a rollover."""
    return {"schema_version": state.schema_version, **state.model_dump(mode="json")}


def load_state(data: State) -> AgentState:
    """Return the state in `data`, whichever version wrote it.

    Raises:
        UnknownSchema: A later version wrote it.
    """
    version = int(data.get("schema_version", SCHEMA_VERSION))
    if version > SCHEMA_VERSION:
        raise UnknownSchema(version)
    while version < SCHEMA_VERSION:
        data = MIGRATIONS[version](data)
        version += 1
    return AgentState.model_validate({**data, "schema_version": SCHEMA_VERSION})
