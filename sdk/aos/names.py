"""The names that AOS and the Temporal CLI share: workflow types, ids, queues, search attributes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

TASK_QUEUE = "aos"
"""Task queue on which the AOS workers serve agents and model calls."""

TASK_TIMEOUT = timedelta(seconds=5)
"""How long a worker may take over one step of an agent's workflow: what a step costs whose worker is killed in it."""

TOPIC_TASK_TIMEOUT = timedelta(seconds=30)
"""The same of a topic. Without it in its cache, a worker replays thousands of deliveries for a step: on a busy machine,
with several branches at a time, each step would run out of a shorter time, and be begun anew without an end."""

AGENT_WORKFLOW = "PerpetualAgent"
"""Workflow type of every agent."""

TEAM_WORKFLOW = "AgentTeam"
"""Workflow type of every team."""

TOPIC_WORKFLOW = "Topic"
"""Workflow type of every topic."""

AGENT_ID_PREFIX = "agent/"

SEARCH_ATTRIBUTES = ("AosKind", "AosStatus", "AosTeam")
"""Keyword search attributes that the workers create at start-up."""

LIST_ATTRIBUTES = ("AosSkills",)
"""The same for search attributes that are lists of keywords."""

NAME_LIMIT = 100
"""Longest name of an agent, a tool or an application, in characters."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_name(name: str) -> str:
    """Return `name` if it can name an agent, a tool or an application.

    Raises:
        ValueError: It is empty, longer than `NAME_LIMIT`, or has another character than
            letters, digits, `.`, `_` and `-`.
    """
    if len(name) > NAME_LIMIT:
        raise ValueError(f"a name has at most {NAME_LIMIT} characters, this one has {len(name)}")
    if not _NAME.fullmatch(name):
        raise ValueError("a name starts with a letter or digit and goes on with letters, digits, '.', '_' or '-'")
    return name


Name = Annotated[str, AfterValidator(check_name)]


def agent_workflow_id(name: str) -> str:
    """Return the workflow id of the agent called `name`."""
    return AGENT_ID_PREFIX + name


def app_task_queue(app: str) -> str:
    """Return the task queue on which the tools of the application called `app` are served."""
    return f"{TASK_QUEUE}-{app}"
