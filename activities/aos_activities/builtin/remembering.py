"""Tools by which agents write what they know into shared memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from aos.errors import (
    InvalidInput,
    MemoryConflict,
    RetryableError,
    RetryableModelError,
    TerminalError,
    TerminalModelError,
)
from aos.memory import ORGANISATION, Kind, Transaction
from aos.names import agent_workflow_id
from aos.reading import read_object
from aos.tools import Tool, ToolCallInfo, current_call, tool
from aos_activities.memory.access import MemoryAccess
from aos_activities.memory.shown import shown

ORGANISATION_PERMISSION = "memory.org"
"""What an agent needs to write what belongs to everybody."""

WAITS = 8
"""Attempts at a write: two minutes, so that a database that is away for a minute is waited for."""

Where = Literal["self", "task", "team", "org"]


def scopes_of(call: ToolCallInfo) -> dict[Where, str]:
    """Return the scopes that the agent reaches in this call: its own, its task's and team's where it has one, all's."""
    scopes: dict[Where, str] = {"self": agent_workflow_id(call.agent)}
    if call.task:
        scopes["task"], scopes["team"] = call.task, call.task.partition("#")[0]
    scopes["org"] = ORGANISATION
    return scopes


def remembering_tools(memory: MemoryAccess) -> list[Tool]:
    """Return the tools `remember`, `revise` and `forget`, over `memory`."""

    @tool(timeout=30.0, attempts=WAITS, optional_permissions=[ORGANISATION_PERMISSION])
    async def remember(
        key: str, text: str, scope: Where = "self", kind: Kind = "fact", tags: Sequence[str] = (), why: str = ""
    ) -> str:
        """Write something new into memory, to be found later by `recall`, also by others where the scope is theirs.

        Args:
            key: Its name, such as customers/acme: the subject, with slashes from the general to the particular.
            text: What is to be known, so that it is understood without this conversation.
            scope: Whose memory: self, the task that you work on, its team, or org, which is everybody's.
            kind: fact, something that is so; episode, that happened; procedure, how something is done; block, a text
                that stands in the prompts of agents.
            tags: Words by which it may be found.
            why: How you know.
        """
        write = {"key": key, "text": text, "kind": kind, "tags": [*tags], "expected": 0}
        version = await _commit(memory, scope, write, why)
        return f"remembered as {key} in {scope}, version {version}"

    @tool(timeout=30.0, attempts=WAITS, optional_permissions=[ORGANISATION_PERMISSION])
    async def revise(
        key: str, text: str, version: Annotated[int, Field(ge=1)], scope: Where = "self", why: str = ""
    ) -> str:
        """Change what stands in memory under a key. If somebody changed it since, you are told, and nothing is written.

        Args:
            key: Its name, as `recall` shows it.
            text: What is to be known in its place, whole.
            version: The version that you read, as `recall` shows it.
            scope: Whose memory it is: self, task, team or org.
            why: How you know.
        """
        read = await memory.store.versions(_scope(scope), key, 1, before=version + 1)
        kept: dict[str, Any] = {"kind": read[0].kind, "tags": read[0].tags} if read else {}
        version = await _commit(memory, scope, {"key": key, "text": text, "expected": version, **kept}, why)
        return f"revised: {key} in {scope} has version {version} now"

    @tool(timeout=30.0, attempts=WAITS, optional_permissions=[ORGANISATION_PERMISSION])
    async def forget(key: str, version: Annotated[int, Field(ge=1)], scope: Where = "self", why: str = "") -> str:
        """Have something stand in memory no more. If somebody changed it since you read it, you are told.

        Args:
            key: Its name, as `recall` shows it.
            version: The version that you read, as `recall` shows it.
            scope: Whose memory it is: self, task, team or org.
            why: The reason.
        """
        await _commit(memory, scope, {"key": key, "expected": version, "forget": True}, why)
        return f"forgotten: {key} in {scope}"

    return [remember, revise, forget]


def _scope(where: Where) -> str:
    """Return a scope by its name; deny it where the agent has none of that name, or may not write there.

    Raises:
        TerminalError: It has not, or may not.
    """
    call = current_call()
    scopes = scopes_of(call)
    if where not in scopes:
        raise TerminalError(f"you work on no task of a team, so there is no scope {where!r}; use self or org")
    if where == "org" and ORGANISATION_PERMISSION not in call.permissions:
        raise TerminalError(
            f"to write what is everybody's, this agent needs the permission {ORGANISATION_PERMISSION!r}; use self"
        )
    return scopes[where]


async def _commit(memory: MemoryAccess, where: Where, write: dict[str, Any], why: str) -> int:
    call = current_call()
    transaction = {
        # The same for every attempt of the call, so it is written once.
        "id": call.key,
        "by": agent_workflow_id(call.agent),
        "why": why,
        "source": call.message_id,
        "writes": [{"scope": _scope(where), **write}],
    }
    try:
        return (await memory.commit(read_object(Transaction, "memory", transaction))).versions[0]
    except (InvalidInput, TerminalModelError) as error:
        raise TerminalError(str(error)) from error
    except RetryableModelError as error:
        raise RetryableError(str(error), retry_after=error.retry_after) from error
    except MemoryConflict as error:
        raise TerminalError(await _told(memory, error)) from error


async def _told(memory: MemoryAccess, conflict: MemoryConflict) -> str:
    """Return what a model is told whose write came too late: what is there now."""
    (scope, key, expected, found), *_ = conflict.conflicts
    there = await memory.store.get(scope, key)
    if there is None:
        return f"not written: there is no {key} in {scope} any more; `remember` makes it anew"
    what = f"it has version {found} now, not {expected}" if expected else "it is there already; `revise` changes it"
    return f"not written: {what}. It says:\n{shown(there)}"
