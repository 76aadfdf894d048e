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
        MailboxFull,
        MemoryConflict,
        MessageFailed,
        NotAnswering,
        NoWorker,
        ReplyForgotten,
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
    from aos.strategy import Arbiter, Broadcast, BySkill, Edge, Graph, Planner, RoundRobin, Selector, Swarm
    from aos.team_control import EndTask, RosterChanges, TeamChanges
    from aos.team_spec import Member, TeamSpec
    from aos.team_views import TaskLine, TaskReport, TaskView, TeamStatus
    from aos.termination import (
        AllOf,
        AnyOf,
        External,
        Function,
        FunctionCall,
        Handoff,
        MaxMessages,
        Money,
        NoProgress,
        Source,
        StopMessage,
        TextMention,
        TextMessage,
        Timeout,
        TokenUsage,
    )
    from aos.tools import Tool, current_call, tool
    from aos.views import AgentStatus

_HOMES = {
    "AgentError": "aos.errors",
    "AgentExists": "aos.errors",
    "AgentNotFound": "aos.errors",
    "AgentSpec": "aos.spec",
    "AgentStatus": "aos.views",
    "AgentStopped": "aos.errors",
    "AllOf": "aos.termination",
    "AnyOf": "aos.termination",
    "AosClient": "aos.client",
    "AosError": "aos.errors",
    "AosPlugin": "aos.plugin",
    "App": "aos.app",
    "Arbiter": "aos.strategy",
    "Broadcast": "aos.strategy",
    "BySkill": "aos.strategy",
    "CronTrigger": "aos.spec",
    "Edge": "aos.strategy",
    "EndTask": "aos.team_control",
    "Event": "aos.message",
    "EventTrigger": "aos.spec",
    "External": "aos.termination",
    "Function": "aos.termination",
    "FunctionCall": "aos.termination",
    "Graph": "aos.strategy",
    "Handoff": "aos.termination",
    "Image": "aos.conversation",
    "IntervalTrigger": "aos.spec",
    "InvalidInput": "aos.errors",
    "MailboxFull": "aos.errors",
    "MemoryConflict": "aos.errors",
    "MaxMessages": "aos.termination",
    "Member": "aos.team_spec",
    "Message": "aos.message",
    "MessageFailed": "aos.errors",
    "Money": "aos.termination",
    "NoProgress": "aos.termination",
    "NoWorker": "aos.errors",
    "NotAnswering": "aos.errors",
    "Planner": "aos.strategy",
    "Reply": "aos.message",
    "ReplyForgotten": "aos.errors",
    "RetryableError": "aos.errors",
    "RosterChanges": "aos.team_control",
    "RoundRobin": "aos.strategy",
    "Selector": "aos.strategy",
    "Source": "aos.termination",
    "Stop": "aos.control",
    "StopMessage": "aos.termination",
    "Swarm": "aos.strategy",
    "TaskLine": "aos.team_views",
    "TaskReport": "aos.team_views",
    "TaskView": "aos.team_views",
    "TeamChanges": "aos.team_control",
    "TeamExists": "aos.errors",
    "TeamNotFound": "aos.errors",
    "TeamSpec": "aos.team_spec",
    "TeamStatus": "aos.team_views",
    "TerminalError": "aos.errors",
    "TextMention": "aos.termination",
    "TextMessage": "aos.termination",
    "Timeout": "aos.termination",
    "TokenUsage": "aos.termination",
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
    "AllOf",
    "AnyOf",
    "AosClient",
    "AosError",
    "AosPlugin",
    "App",
    "Arbiter",
    "Broadcast",
    "BySkill",
    "CronTrigger",
    "Edge",
    "EndTask",
    "Event",
    "EventTrigger",
    "External",
    "Function",
    "FunctionCall",
    "Graph",
    "Handoff",
    "Image",
    "IntervalTrigger",
    "InvalidInput",
    "MailboxFull",
    "MaxMessages",
    "Member",
    "MemoryConflict",
    "Message",
    "MessageFailed",
    "Money",
    "NoProgress",
    "NoWorker",
    "NotAnswering",
    "Planner",
    "Reply",
    "ReplyForgotten",
    "RetryableError",
    "RosterChanges",
    "RoundRobin",
    "Selector",
    "Source",
    "Stop",
    "StopMessage",
    "Swarm",
    "TaskLine",
    "TaskReport",
    "TaskView",
    "TeamChanges",
    "TeamExists",
    "TeamNotFound",
    "TeamSpec",
    "TeamStatus",
    "TerminalError",
    "TextMention",
    "TextMessage",
    "Timeout",
    "TokenUsage",
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
