"""The agent as data: everything that makes one agent differ from another."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from aos.duration import Duration
from aos.json_schema import OutputSchema
from aos.json_value import JsonObject
from aos.memory import Position
from aos.names import Name, check_name
from aos.wire import Contract

SKILLS_BYTES = 1800
"""Longest list of skills, as JSON: Temporal takes 2 KiB in a search attribute, and fails the workflow for more."""

MOST_TOKENS = 1_000_000_000
"""Most tokens that a field of a spec may speak of."""

_MODEL = re.compile(r"[a-z][a-z0-9-]*:\S+|offline")


def _check_model(model: str) -> str:
    if not _MODEL.fullmatch(model):
        raise ValueError(
            f"{model!r} is not of the form 'provider:model', for instance 'openai:gpt-4o-mini', or 'offline'"
        )
    return model


def _check_tool(tool: str) -> str:
    for part in tool.split("/", 1):
        check_name(part)
    return tool


def _check_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{zone!r} is no time zone of the IANA data base, such as 'Europe/Berlin'") from None
    return zone


def _check_cron(expression: str) -> str:
    from datetime import UTC, datetime

    try:
        CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"{expression!r} is no cron expression such as '0 9 * * 1-5': {error}") from None
    return expression


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) and value else (value or [])


ModelName = Annotated[str, AfterValidator(_check_model)]
ToolName = Annotated[str, AfterValidator(_check_tool)]
Skill = Annotated[str, Field(min_length=1, max_length=100)]


class ToolGate(Contract):
    """A gate that asks a tool: the tick goes on only if the result is new since the tick before."""

    tool: ToolName
    arguments: JsonObject = Field(default_factory=dict[str, Any])


Gate = Literal["always", "news"] | ToolGate


def _type_needed(schema: dict[str, Any]) -> None:
    schema["required"] = ["type", *schema.get("required", [])]


# In Python the class says the type; in a file it has to be written.
_TYPE_NEEDED = ConfigDict(json_schema_extra=_type_needed)


class IntervalTrigger(Contract):
    """Wakes the agent again and again. Missed ticks are made up for by one."""

    model_config = _TYPE_NEEDED

    type: Literal["interval"] = "interval"
    every: Annotated[Duration, Field(ge=0.1)]
    jitter: Duration = 0.0
    """Each tick comes up to this much later, so that many agents do not tick at once."""
    text: str = ""
    """What the agent is told at the tick."""
    gate: Gate | None = None
    """What must hold for the tick to cost a model call: `always`; `news`, something that came without waking the
    agent; or a tool whose result changed. Default: `always` with a `text`, `news` without."""

    @property
    def effective_gate(self) -> Gate:
        """The gate, or its default."""
        return self.gate or ("always" if self.text else "news")


class CronTrigger(Contract):
    """Wakes the agent at times of the calendar, in a time zone."""

    model_config = _TYPE_NEEDED

    type: Literal["cron"] = "cron"
    cron: Annotated[str, AfterValidator(_check_cron)]
    timezone: Annotated[str, AfterValidator(_check_zone)] = "UTC"
    text: str = ""
    gate: Gate | None = None

    @property
    def effective_gate(self) -> Gate:
        """The gate, or its default."""
        return self.gate or ("always" if self.text else "news")


class EventTrigger(Contract):
    """Wakes the agent when an outside event comes whose type matches. `*` at the end matches any ending."""

    model_config = _TYPE_NEEDED

    type: Literal["event"] = "event"
    event: Annotated[str, Field(min_length=1, max_length=200)]
    text: str = ""
    """What the agent is told before the event's data."""

    def matches(self, event_type: str) -> bool:
        """Return whether an event of this type wakes the agent."""
        if self.event.endswith("*"):
            return event_type.startswith(self.event[:-1])
        return event_type == self.event


Trigger = Annotated[IntervalTrigger | CronTrigger | EventTrigger, Field(discriminator="type")]

DEFAULT_TOOLS: list[ToolName] = ["current_time", "set_timer"]


class AgentSpec(Contract):
    """Everything that makes one agent: `{"name": "ada", "purpose": "..."}` is enough."""

    name: Name
    purpose: Annotated[str, Field(max_length=20_000)] = ""
    """Why the agent exists; it stands in front of everything that the model is told."""
    instructions: Annotated[str, Field(max_length=100_000)] = ""
    """How the agent does its work."""
    version: Annotated[str, Field(max_length=100)] = "1"
    """The spec's own version, shown in the Web UI."""
    model: Annotated[list[ModelName], BeforeValidator(_as_list, json_schema_input_type=list[ModelName] | ModelName)] = (
        Field(default_factory=list[ModelName], max_length=8)
    )
    """`provider:model`, or several to fall back on in this order. Empty: the workers' default."""
    tools: list[ToolName] = Field(default_factory=lambda: list(DEFAULT_TOOLS), max_length=128)
    """Names of built-in tools, and `application/tool` for those of an application."""
    permissions: list[Annotated[str, Field(max_length=100)]] = Field(default_factory=list[str], max_length=128)
    """Permissions granted to the agent. A tool that needs one that is missing here is refused."""
    skills: list[Skill] = Field(default_factory=list[Skill], max_length=16)
    """What others may delegate to it."""
    blocks: list[Position] = Field(default_factory=list[Position], max_length=16)
    """Records of the shared memory that stand in its prompt as they are at each step: `{scope: org, key: motto}`."""
    triggers: list[Trigger] = Field(default_factory=list[Trigger], max_length=64)
    """What wakes the agent besides messages."""
    output_schema: OutputSchema = None
    """JSON schema that every reply must fit."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=MOST_TOKENS)] | None = None
    max_steps: Annotated[int, Field(ge=1, le=1000)] = 20
    """Model calls for one message, at most."""
    max_repeats: Annotated[int, Field(ge=1, le=100)] = 3
    """How often one message may call one tool with the same arguments."""
    batch: Annotated[int, Field(ge=1, le=100)] = 1
    """How many waiting messages that need no reply of their own the agent may take in one turn."""
    mailbox_limit: Annotated[int, Field(ge=1)] = 10_000
    """Waiting messages from which on no more are taken in: who asks is told when to come back."""
    patience: Duration = 900.0
    """How long a model that does not answer is tried before the message goes to the dead letters."""
    context_tokens: Annotated[int, Field(ge=1000, le=MOST_TOKENS)] = 32_000
    """Room for the conversation; from four fifths of it on its older part is summarised."""
    rollover_events: Annotated[int, Field(ge=50, le=20_000)] = 1_500
    """History events after which the workflow continues as new."""

    @model_validator(mode="after")
    def _skills_fit(self) -> AgentSpec:
        if (size := len(json.dumps(self.skills).encode())) > SKILLS_BYTES:
            raise ValueError(f"skills: together they have {size} bytes, the limit is {SKILLS_BYTES}; name them shorter")
        return self

    @model_validator(mode="after")
    def _tools_once(self) -> AgentSpec:
        short = [tool.rpartition("/")[2] for tool in self.tools]
        twice = sorted({name for name in short if short.count(name) > 1})
        if twice:
            raise ValueError(f"tools: {', '.join(twice)} would have the same name for the model")
        return self
