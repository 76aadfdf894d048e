"""What a tool is as data: how it is described, how it is called, what comes back."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from aos.provider import ToolSchema
from aos.wire import Wire


class ToolPolicy(Wire):
    """How a tool is run. `queue` is the task queue of the worker that serves it."""

    queue: str
    timeout: float = 60.0
    """Seconds that one attempt may take."""
    attempts: int = 3
    """Attempts at most. 1 where the tool is not idempotent."""
    permission: str = ""
    optional_permissions: list[str] = Field(default_factory=list[str])
    """Permissions for some of what it does."""
    kernel: bool = False
    """The workflow itself carries the call out."""


class ToolDescription(Wire):
    """A tool as its worker describes it."""

    definition: ToolSchema
    policy: ToolPolicy


class ToolRequest(Wire):
    """One call of one tool.

    `key` is the same for every attempt of the call, and no other call has it. `conversation` is the reference
    of the agent's conversation when it made the call. `causation` are the ids of the messages that led to the one that
    the agent works on. `task` is the team's task that it belongs to. `permissions` are the optional ones that the
    agent has.
    """

    tool: str
    key: str
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])
    agent: str
    message_id: str = ""
    conversation: str = ""
    causation: list[str] = Field(default_factory=list[str])
    task: str = ""
    permissions: list[str] = Field(default_factory=list[str])


class ToolOutcome(Wire):
    """What a tool answered.

    `text` is the whole result, or its start where `ref` names the whole. `size` is in bytes, set with `ref`.
    """

    text: str
    ref: str = ""
    size: int = 0
    error: bool = False
