"""Tools by which agents speak to each other. The agent's workflow carries them out; here is what models are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from aos.errors import TerminalError
from aos.json_value import Json
from aos.tools import Tool, tool

LONGEST_ASK = 30 * 86_400.0
"""Longest that an answer may be waited for, in seconds."""

USUAL_ASK = 600.0
"""How long an answer is waited for where nothing else is said, in seconds."""

_Seconds = Annotated[float, Field(gt=0, le=LONGEST_ASK)]
_Text = Annotated[str, Field(min_length=1)]


def _of_the_workflow(name: str) -> TerminalError:
    return TerminalError(f"{name} is carried out by the agent's workflow; no worker can do it")


@tool(timeout="5s", name="send")
async def _send(to: str, text: _Text, priority: Annotated[int, Field(ge=1, le=5)] = 3, data: Json = None) -> str:
    """Tell another agent or a team something, without waiting for an answer.

    Args:
        to: Its address, such as agent/bob or team/news; a bare name is that of an agent.
        text: What to say.
        priority: 1 is the most urgent, 5 the least.
        data: Structured data to send along.
    """
    raise _of_the_workflow("send")


@tool(timeout="5s", name="ask")
async def _ask(to: str, text: _Text, deadline_seconds: _Seconds = USUAL_ASK, data: Json = None) -> str:
    """Ask another agent or a team something, and get its answer. Several questions may be asked at once.

    Args:
        to: Its address, such as agent/bob or team/news; a bare name is that of an agent.
        text: The question, with all that is needed to answer it.
        deadline_seconds: How long to wait for the answer.
        data: Structured data to send along.
    """
    raise _of_the_workflow("ask")


@tool(timeout="5s", name="delegate")
async def _delegate(skill: _Text, text: _Text, deadline_seconds: _Seconds = USUAL_ASK) -> str:
    """Have whichever agent has a skill and the least to do work on something, and get its answer.

    Args:
        skill: The skill that is needed.
        text: The work, with all that is needed for it.
        deadline_seconds: How long one agent may take before the next one is asked.
    """
    raise _of_the_workflow("delegate")


@tool(timeout="5s", name="handoff")
async def _handoff(to: Annotated[str, Field(min_length=1, max_length=200)], text: str = "") -> str:
    """Hand the task on to another member of the team, and end your turn.

    Args:
        to: The member's name.
        text: What that member should know.
    """
    raise _of_the_workflow("handoff")


@tool(timeout="5s", name="finish")
async def _finish(text: str = "") -> str:
    """Say that the task is done, and end your turn.

    Args:
        text: The result.
    """
    raise _of_the_workflow("finish")


def _kernel(made: Tool[..., Any]) -> Tool:
    return replace(made, kernel=True)


messaging_tools: list[Tool] = [_kernel(each) for each in (_send, _ask, _delegate, _handoff, _finish)]
"""The tools of this module."""
