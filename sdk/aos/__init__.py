"""AOS, the Agent Operating System: AI agents that live for ever, as Temporal workflows.

Every public name is here. Each is imported when it is first used, so that `import aos` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aos.app import App
    from aos.client import AosClient
    from aos.control import Stop
    from aos.conversation import Image, Usage
    from aos.errors import (
        AgentError,
        AgentExists,
        AgentNotFound,
        AgentStopped,
        AosError,
        InvalidInput,
        MessageFailed,
        NotAnswering,
        RetryableError,
        TeamExists,
        TeamNotFound,
        TerminalError,
        TopicExists,
        TopicNotFound,
        Unreachable,
    )
    from aos.manifest import load_agent, load_agents, load_team
    from aos.message import Event, Message, Reply
    from aos.plugin import AosPlugin
    from aos.spec import AgentSpec, CronTrigger, EventTrigger, IntervalTrigger, ToolGate
    from aos.team_spec import Member, TeamSpec
    from aos.team_views import TeamStatus
    from aos.tools import Tool, current_call, tool
    from aos.views import AgentStatus

_HOMES = {
    "AgentError": "aos.errors",
    "AgentExists": "aos.errors",
    "AgentNotFound": "aos.errors",
    "AgentSpec": "aos.spec",
    "AgentStatus": "aos.views",
    "AgentStopped": "aos.errors",
    "AosClient": "aos.client",
    "AosError": "aos.errors",
    "AosPlugin": "aos.plugin",
    "App": "aos.app",
    "CronTrigger": "aos.spec",
    "Event": "aos.message",
    "EventTrigger": "aos.spec",
    "Image": "aos.conversation",
    "IntervalTrigger": "aos.spec",
    "InvalidInput": "aos.errors",
    "Member": "aos.team_spec",
    "Message": "aos.message",
    "MessageFailed": "aos.errors",
    "NotAnswering": "aos.errors",
    "Reply": "aos.message",
    "RetryableError": "aos.errors",
    "Stop": "aos.control",
    "TeamExists": "aos.errors",
    "TeamNotFound": "aos.errors",
    "TeamSpec": "aos.team_spec",
    "TeamStatus": "aos.team_views",
    "TerminalError": "aos.errors",
    "Tool": "aos.tools",
    "ToolGate": "aos.spec",
    "TopicExists": "aos.errors",
    "TopicNotFound": "aos.errors",
    "Unreachable": "aos.errors",
    "Usage": "aos.conversation",
    "current_call": "aos.tools",
    "load_agent": "aos.manifest",
    "load_agents": "aos.manifest",
    "load_team": "aos.manifest",
    "tool": "aos.tools",
}

__all__ = [
    "AgentError",
    "AgentExists",
    "AgentNotFound",
    "AgentSpec",
    "AgentStatus",
    "AgentStopped",
    "AosClient",
    "AosError",
    "AosPlugin",
    "App",
    "CronTrigger",
    "Event",
    "EventTrigger",
    "Image",
    "IntervalTrigger",
    "InvalidInput",
    "Member",
    "Message",
    "MessageFailed",
    "NotAnswering",
    "Reply",
    "RetryableError",
    "Stop",
    "TeamExists",
    "TeamNotFound",
    "TeamSpec",
    "TeamStatus",
    "TerminalError",
    "Tool",
    "ToolGate",
    "TopicExists",
    "TopicNotFound",
    "Unreachable",
    "Usage",
    "current_call",
    "load_agent",
    "load_agents",
    "load_team",
    "tool",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'aos' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
