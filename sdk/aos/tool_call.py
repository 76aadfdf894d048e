"""What a tool can know of the call that it is carrying out."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ToolCallInfo:
    """The call that a tool is carrying out.

    `key` is the same for every attempt of the call, and no other call has it: give it to other systems as
    idempotency key. `conversation` is the reference of the agent's conversation when it made the call. `causation` are
    the ids of the messages that led to the one that it works on, the first one first. `task` is the team's task that
    it works on, as `team/<name>#<id>`, or empty. `permissions` are those of the tool's `optional_permissions` that the
    agent has.
    """

    key: str
    agent: str
    message_id: str = ""
    attempt: int = 1
    conversation: str = ""
    causation: Sequence[str] = ()
    task: str = ""
    permissions: Collection[str] = ()


_call: ContextVar[ToolCallInfo] = ContextVar("aos_tool_call")


def current_call() -> ToolCallInfo:
    """Return the call that the running tool is carrying out.

    Raises:
        RuntimeError: No tool is running here. `in_call` makes one up, for instance in a test.
    """
    try:
        return _call.get()
    except LookupError:
        raise RuntimeError("no tool is being called here; to try one out, use `with aos.tools.in_call(...)`") from None


@contextmanager
def in_call(call: ToolCallInfo) -> Generator[None]:
    """Let `current_call` return `call` in the block."""
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)
