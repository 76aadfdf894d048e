"""AutoGen's teams, as teams of AOS."""

from __future__ import annotations

from aos.compat.autogen.agents import AGENTS, member_name, read_agent
from aos.compat.autogen.conditions import leaves, read_condition
from aos.compat.autogen.graphs import DiGraph, read_graph
from aos.compat.autogen.loading import Component, Config, Json, Loading
from aos.compat.autogen.models import read_model
from aos.strategy import Selector
from aos.team_spec import TeamSpec

_USUAL_TURNS: int = TeamSpec.model_fields["max_turns"].default
_MOST_TURNS = 100_000
_MOST_ATTEMPTS = 10
_USUAL_PROMPT: str = Selector.model_fields["prompt"].default
_SAY_NOTHING = frozenset({"", "A team of agents.", "A team of agents"})
"""Descriptions that AutoGen gives to teams that have none."""


class _Team(Config):
    name: str | None = None
    description: str | None = None
    participants: list[object]
    termination_condition: object = None
    max_turns: int | None = None
    emit_team_events: bool = False


class _Selector(_Team):
    model_client: object
    selector_prompt: str = _USUAL_PROMPT
    allow_repeated_speaker: bool = False
    max_selector_attempts: int = 3
    model_client_streaming: bool = False
    model_context: object = None


class _Magentic(_Team):
    model_client: object
    max_stalls: int = 3
    final_answer_prompt: str = ""


class _Graph(_Team):
    graph: DiGraph


class _Society(Config):
    name: str
    team: object
    model_client: object
    description: str | None = None
    instruction: str | None = None
    response_prompt: str | None = None
    model_context: object = None


_CONFIGS: dict[str, type[_Team]] = {
    "RoundRobinGroupChat": _Team,
    "SelectorGroupChat": _Selector,
    "Swarm": _Team,
    "MagenticOneGroupChat": _Magentic,
    "GraphFlow": _Graph,
}
SOCIETY = "SocietyOfMindAgent"
KNOWN = frozenset({*_CONFIGS, *AGENTS, SOCIETY})


def read_member(loading: Loading, given: object, place: str) -> Json | None:
    """Return an agent or a team as a member; what cannot be one is refused."""
    component = loading.component(given, place, KNOWN, "no agent and no team that AOS can load")
    if component is None:
        return None
    if component.kind in AGENTS:
        return read_agent(loading, component, place)
    if component.kind == SOCIETY:
        return _society(loading, component, place)
    spec = _team(loading, component, place)
    return spec and {"name": spec.pop("name"), "role": spec.get("purpose", ""), "team": spec}


def _team(loading: Loading, component: Component, place: str) -> Json | None:
    config = loading.config(_CONFIGS[component.kind], component, place)
    if config is None:
        return None
    at = f"{place}.config"
    members = [read_member(loading, one, f"{at}.participants[{n}]") for n, one in enumerate(config.participants)]
    found = [member for member in members if member]
    spec: Json = {
        "name": member_name(loading, config.name or component.kind, at),
        "members": found,
        "strategy": _strategy(loading, component.kind, config, [member["name"] for member in found], at),
        "purpose": "" if (config.description or "") in _SAY_NOTHING else config.description,
    }
    spec |= _end(loading, component.kind, config, at)
    if any(leaf["type"] == "stop_message" for leaf in leaves(spec.get("termination"))):
        for member in spec["members"]:
            if "agent" in member:
                member["agent"]["tools"].append("finish")
    return spec


def _strategy(loading: Loading, kind: str, config: _Team, members: list[str], place: str) -> Json:
    match config:
        case _Graph():
            return read_graph(loading, config.graph, members, f"{place}.graph")
        case _Magentic():
            return _planner(loading, config, place)
        case _Selector():
            return _selector(loading, config, place)
        case _:
            return {"type": "swarm" if kind == "Swarm" else "round_robin"}


def _selector(loading: Loading, config: _Selector, place: str) -> Json:
    model = read_model(loading, config.model_client, f"{place}.model_client")
    if config.max_selector_attempts > _MOST_ATTEMPTS:
        loading.note(f"{place}.max_selector_attempts", f"is {_MOST_ATTEMPTS} at most")
    return {
        "type": "selector",
        "model": [model.name] if model.name else [],
        # AutoGen fills it in by `str.format`, where a brace is written twice.
        "prompt": config.selector_prompt.replace("{{", "{").replace("}}", "}"),
        "allow_repeats": config.allow_repeated_speaker,
        "attempts": min(config.max_selector_attempts, _MOST_ATTEMPTS),
    }


def _planner(loading: Loading, config: _Magentic, place: str) -> Json:
    model = read_model(loading, config.model_client, f"{place}.model_client")
    rounds = config.max_turns or _USUAL_TURNS
    return {
        "type": "planner",
        "model": [model.name] if model.name else [],
        "max_stalls": config.max_stalls,
        # AutoGen plans anew as often as its rounds allow.
        "max_plans": max(1, min(100, rounds // max(1, config.max_stalls) + 1)),
    }


def _end(loading: Loading, kind: str, config: _Team, place: str) -> Json:
    """Return when a task is over. A team of AutoGen without a condition goes on until its turns are used up."""
    condition = None
    if config.termination_condition is not None:
        condition = read_condition(loading, config.termination_condition, f"{place}.termination_condition")
    turns = config.max_turns
    if condition:
        counts = [leaf["count"] for leaf in leaves(condition) if leaf["type"] == "max_messages"]
        turns = min(_MOST_TURNS, max([_USUAL_TURNS, *counts])) if turns is None else turns
    elif kind not in ("GraphFlow", "MagenticOneGroupChat"):
        if turns is not None:
            condition = {"type": "external"}  # Without one, a round would be the end.
        elif config.termination_condition is None:
            loading.note(
                f"{place}.termination_condition",
                "there is none, and AutoGen would never end; AOS ends after a round, or when nobody hands on",
            )
    return {"termination": condition, **({} if turns is None else {"max_turns": turns})}


def _society(loading: Loading, component: Component, place: str) -> Json | None:
    """Return a team of two: the inner team, and an agent that answers from what it said."""
    config = loading.config(_Society, component, place)
    if config is None:
        return None
    at = f"{place}.config"
    name = member_name(loading, config.name, at)
    known = frozenset(_CONFIGS)
    inner = loading.component(config.team, f"{at}.team", known, "no team that AOS can load")
    team = inner and _team(loading, inner, f"{at}.team")
    model = read_model(loading, config.model_client, f"{at}.model_client")
    if team is None:
        return None
    writer: Json = {
        "model": [model.name] if model.name else [],
        "instructions": "\n\n".join(filter(None, (config.instruction, config.response_prompt))),
        "tools": [],
        "temperature": model.temperature,
        "max_output_tokens": model.max_output_tokens,
    }
    team.pop("name")
    spec: Json = {
        "members": [
            {"name": "team", "role": "works on the task", "team": team},
            {"name": "speaker", "role": "answers from what the team said", "agent": writer},
        ],
    }
    return {"name": name, "role": config.description or "", "team": spec}
