"""What crosses a rollover: everything that an agent is, and not much of it."""

from __future__ import annotations

import json
from functools import cached_property
from typing import cast

from pydantic import BaseModel

from aos_workflows.agent import PerpetualAgent
from aos_workflows.migrations import dump_state, load_state
from aos_workflows.state import AgentState
from simulation.truth import Broken

CARRIED_BYTES = 20 * 1024
"""Most bytes of a state without what comes on top: what the agent was given, and what waits or failed."""

_GIVEN = ("notes", "turn", "spec", "dead", "schedule")

_PASSING = {
    *("_refused", "_rolling", "_leaving", "_asking", "_asked", "_configuring", "_alarm", "_state"),
    *("_letters", "_messaging", "_intake", "_turns"),
}
"""Attributes of the workflow that a new run makes anew. Whatever else it keeps must be in the state."""


def check_no_strays(agent: PerpetualAgent, state: AgentState) -> None:
    """Look whether the workflow keeps something beside its state, which a rollover would lose.

    Raises:
        Broken: It does.
    """
    if strays := vars(agent).keys() - _PASSING:
        raise Broken(f"the workflow keeps {sorted(strays)} outside of its state; put it there, or call it passing here")
    _no_strays(state, "state")


def check_carried(state: AgentState, carried: bytes) -> None:
    """Look whether `carried`, the input of the next run, comes to the same state.

    Raises:
        Broken: Something is lost, or it is too much.
    """
    data = json.loads(carried)["resume"]
    again = load_state(data)
    for name in AgentState.model_fields:
        before, after = getattr(state, name), getattr(again, name)
        if before != after:
            raise Broken(f"{name} changes over a rollover, from {before!r} to {after!r}"[:2000])
    if dump_state(again) != data:
        raise Broken("the state that was carried is dumped as another")
    mailbox = data.get("mailbox", {})
    given = [data.get(name) for name in _GIVEN] + [mailbox.get("waiting"), mailbox.get("quiet")]
    if len(carried) - len(json.dumps(given, separators=(",", ":"), ensure_ascii=False).encode()) > CARRIED_BYTES:
        sizes = {name: len(json.dumps(value)) for name, value in data.items()}
        raise Broken(f"a rollover carries {len(carried)} bytes: {sizes}")


def _no_strays(thing: object, where: str) -> None:
    if isinstance(thing, BaseModel):
        model = type(thing)
        for name, value in vars(thing).items():
            if name in model.model_fields:
                _no_strays(value, f"{where}.{name}")
            elif not isinstance(getattr(model, name, None), cached_property):
                raise Broken(f"{where} keeps {name}, which is no field of it")
    elif isinstance(thing, dict):
        for key, value in cast("dict[object, object]", thing).items():
            _no_strays(value, f"{where}[{key!r}]")
    elif isinstance(thing, list):
        for index, value in enumerate(cast("list[object]", thing)):
            _no_strays(value, f"{where}[{index}]")
