"""AutoGen's agents, as members of a team."""

from __future__ import annotations

from pydantic import Field, ValidationError

from aos.compat.autogen.loading import Component, Config, Json, Loading
from aos.compat.autogen.models import read_model
from aos.compat.autogen.tools import read_tools, read_workbenches
from aos.limits import clip
from aos.message import MESSAGE_ID_CHARS
from aos.names import check_name
from aos.spec import AgentSpec

_USUAL_DESCRIPTION = "An agent that provides assistance with ability to use tools."
_LEAST_CONTEXT = 1000


class Handoff(Config):
    """Whom an agent may hand on to. Its `message` is what AutoGen says for the agent; in AOS the agent says it."""

    target: str
    description: str = ""
    name: str = ""
    message: str = ""


class _Assistant(Config):
    name: str
    model_client: object = None
    tools: list[object] | None = None
    workbench: list[object] | None = None
    handoffs: list[Handoff | str] | None = None
    model_context: object = None
    memory: list[object] | None = None
    description: str = ""
    system_message: str | None = None
    model_client_stream: bool = False
    reflect_on_tool_use: bool = False
    tool_call_summary_format: str = ""
    max_tool_iterations: int = 1
    metadata: dict[str, str] | None = None
    structured_message_factory: object = None


class _User(Config):
    name: str
    description: str = ""
    input_func: str | None = None


class _Filtered(Config):
    name: str
    wrapped_agent: object
    filter: Json = Field(default_factory=dict)


class _Memory(Config):
    name: str | None = None
    memory_contents: list[Json] = Field(default_factory=list[Json])


AGENTS = frozenset({"AssistantAgent", "UserProxyAgent", "MessageFilterAgent"})
"""The agents that are one member of AOS. `SocietyOfMindAgent` is a team: see `teams`."""


def read_agent(loading: Loading, component: Component, place: str) -> Json | None:
    """Return an agent as a member of a team: `{name, role, agent}` or `{name, role, address}`."""
    match component.kind:
        case "AssistantAgent":
            config = loading.config(_Assistant, component, place)
            return config and _assistant(loading, config, f"{place}.config")
        case "UserProxyAgent":
            user = loading.config(_User, component, place)
            return user and _user(loading, user, place)
        case _:
            filtered = loading.config(_Filtered, component, place)
            return filtered and _filtered(loading, filtered, place)


def member_name(loading: Loading, name: str, place: str) -> str:
    """Return `name`; one that AOS has no use for is refused."""
    try:
        return check_name(name)
    except ValueError as problem:
        loading.refuse(f"{place}.name", f"{clip(name)!r}: {problem}; give it another in the JSON, wherever it stands")
        return "unnamed"


def _assistant(loading: Loading, config: _Assistant, place: str) -> Json:
    name = member_name(loading, config.name, place)
    if stands := loading.members.get(config.name):
        return {"name": name, "role": config.description, "address": stands}
    model = read_model(loading, config.model_client, f"{place}.model_client")
    tools = read_tools(loading, config.tools or [], f"{place}.tools")
    tools += read_workbenches(loading, config.workbench or [], f"{place}.workbench")
    handoffs = [Handoff(target=one) if isinstance(one, str) else one for one in config.handoffs or []]
    for number, handoff in enumerate(handoffs):
        if not 0 < len(handoff.target) <= MESSAGE_ID_CHARS:
            loading.refuse(f"{place}.handoffs[{number}].target", "it is empty or too long to be a name")
    if tools and not config.reflect_on_tool_use:
        loading.note(
            f"{place}.reflect_on_tool_use", "an agent of AOS always says in its own words what came of its tools"
        )
    told = (config.system_message, _of_handoffs(handoffs), _memory(loading, config, place))
    spec: Json = {
        "model": [model.name] if model.name else [],
        "instructions": "\n\n".join(filter(None, told)),
        "tools": [*dict.fromkeys([*tools, *(["handoff"] if handoffs else [])])],
        "temperature": model.temperature,
        "max_output_tokens": model.max_output_tokens,
    }  # fmt: skip
    if config.max_tool_iterations >= AgentSpec.model_fields["max_steps"].default:
        spec["max_steps"] = min(config.max_tool_iterations + 1, 1000)
    spec |= _context(loading, config, place) | _output(loading, config, place)
    if config.description not in ("", _USUAL_DESCRIPTION):
        spec["purpose"] = config.description
    return {"name": name, "role": spec.get("purpose", ""), "agent": spec}


def _of_handoffs(handoffs: list[Handoff]) -> str:
    if not handoffs:
        return ""
    lines = [f"- {one.target}" + (f": {one.description}" if one.description else "") for one in handoffs]
    return "\n".join(["With the tool handoff you may hand the task on to:", *lines])


def _memory(loading: Loading, config: _Assistant, place: str) -> str:
    """Return what a memory that is a list holds, to be told with the instructions."""
    texts: list[str] = []
    for number, given in enumerate(config.memory or []):
        at = f"{place}.memory[{number}]"
        component = loading.parse(given, at)
        if component is None:
            continue
        if component.kind != "ListMemory":
            loading.refuse(
                at,
                f"{clip(component.kind)} is a store of AutoGen's: take it out of the JSON, and give the agent a "
                "`@tool` of an `App` that searches it, or tell it by messages what it shall know",
            )
            continue
        held = loading.config(_Memory, component, at)
        for place_in_list, content in enumerate(held.memory_contents if held else []):
            text = content.get("content")
            if isinstance(text, str):
                texts.append(f"- {text}")
            else:
                loading.note(f"{at}.config.memory_contents[{place_in_list}]", "is no text and is left out")
    return "\n".join(["You know this:", *texts]) if texts else ""


def _context(loading: Loading, config: _Assistant, place: str) -> Json:
    if config.model_context is None:
        return {}
    component = loading.parse(config.model_context, f"{place}.model_context")
    if component is None or component.kind == "UnboundedChatCompletionContext":
        return {}
    limit = component.config.get("token_limit")
    if component.kind == "TokenLimitedChatCompletionContext" and isinstance(limit, int) and limit >= _LEAST_CONTEXT:
        return {"context_tokens": limit}
    loading.note(
        f"{place}.model_context",
        f"{clip(component.kind)} is left out: from context_tokens on, AOS puts a summary in the place of what is old",
    )
    return {}


def _output(loading: Loading, config: _Assistant, place: str) -> Json:
    if config.structured_message_factory is None:
        return {}
    at = f"{place}.structured_message_factory"
    component = loading.parse(config.structured_message_factory, at)
    schema = component.config.get("json_schema") if component else None
    if not isinstance(schema, dict):
        loading.refuse(f"{at}.config", "it has no json_schema, which AOS takes as output_schema")
        return {}
    try:
        AgentSpec.model_validate({"name": "any", "output_schema": schema})
    except ValidationError as error:
        loading.refuse(f"{at}.config.json_schema", clip(str(error.errors()[0]["msg"])))
        return {}
    return {"output_schema": schema}


def _user(loading: Loading, config: _User, place: str) -> Json:
    name = member_name(loading, config.name, f"{place}.config")
    if stands := loading.members.get(config.name):
        return {"name": name, "role": config.description, "address": stands}
    loading.refuse(
        place,
        f"a person is no data: name an agent that stands for {name}, with members={{{name!r}: 'agent/…'}}, or take it "
        "out and have the others hand on to `user`, with HandoffTermination('user') to end the task",
    )
    return {"name": name, "address": "nobody"}


def _filtered(loading: Loading, config: _Filtered, place: str) -> Json | None:
    inner = f"{place}.config.wrapped_agent"
    component = loading.component(config.wrapped_agent, inner, AGENTS, "no agent that AOS can load")
    member = component and read_agent(loading, component, inner)
    if member:
        member["name"] = member_name(loading, config.name, f"{place}.config")
        loading.note(f"{place}.config.filter", "is left out: a member hears all that was said since its last turn")
    return member
