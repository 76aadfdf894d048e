"""Every error of AOS, each built from the facts and each naming the way out.

AosError
├── InvalidInput              a spec, message or control that cannot be read
├── AgentError                something asked of an agent that it could not do
│   ├── AgentNotFound
│   │   ├── TeamNotFound
│   │   └── TopicNotFound
│   ├── AgentExists
│   │   ├── TeamExists
│   │   └── TopicExists
│   ├── AgentStopped
│   ├── MessageFailed         the message is among the agent's dead letters
│   ├── MailboxFull
│   ├── ReplyForgotten
│   ├── NoWorker
│   └── NotAnswering
├── Unreachable               the Temporal server does not answer
├── ModelError
│   ├── RetryableModelError   Temporal tries again
│   └── TerminalModelError    trying again cannot help
├── ToolError
│   ├── RetryableError        raise it in a tool to be tried again
│   └── TerminalError         raise it in a tool to tell the model at once
├── InvalidTool               a function that cannot be a tool
├── BlobMissing               the store does not hold what a reference names
├── MemoryConflict            a record of the shared memory is not as whoever wrote thought
└── SetupError                something is missing on this machine
"""

from __future__ import annotations

from collections.abc import Sequence


class AosError(Exception):
    """Base of every error that AOS raises."""


class InvalidInput(AosError):
    """A spec, message or control that cannot be read; nothing was changed."""

    def __init__(self, what: str, problems: list[str]) -> None:
        self.what = what
        self.problems = problems
        super().__init__(f"{what}: " + "; ".join(problems))


class AgentError(AosError):
    """Something asked of an agent that it could not do."""


class AgentNotFound(AgentError):
    """No agent of that name lives."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no agent named {name!r} is alive; `aos ps` lists those that are, `aos start` starts one")


class AgentExists(AgentError):
    """An agent of that name lives already."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"an agent named {name!r} is alive already; `aos configure {name}` changes it, `aos stop {name}` ends it"
        )


class TeamNotFound(AgentNotFound):
    """No team of that name lives. `name` is its address."""

    def __init__(self, name: str) -> None:
        self.name = name
        AgentError.__init__(
            self, f"no team at {name!r} is alive; `aos team ls` lists those that are, `aos team start` starts one"
        )


class TeamExists(AgentExists):
    """A team of that name lives already. `name` is its address."""

    def __init__(self, name: str) -> None:
        self.name = name
        bare = name.removeprefix("team/")
        AgentError.__init__(
            self,
            f"a team at {name!r} is alive already; `aos team show {bare}` shows it, `aos team stop {bare}` ends it",
        )


class TopicNotFound(AgentNotFound):
    """No topic of that name is there. `name` is its address."""

    def __init__(self, name: str) -> None:
        self.name = name
        AgentError.__init__(
            self,
            f"there is no topic at {name!r}; `aos topic ls` lists those that there are, "
            "the first publication or subscription makes one",
        )


class TopicExists(AgentExists):
    """A topic of that name is there already. `name` is its address."""

    def __init__(self, name: str) -> None:
        self.name = name
        bare = name.removeprefix("topic/")
        AgentError.__init__(
            self,
            f"a topic at {name!r} is there already; `aos topic show {bare}` shows it, `aos topic stop {bare}` ends it",
        )


class AgentStopped(AgentError):
    """The agent was stopped before it answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"agent {name!r} was stopped before it answered")


class MessageFailed(AgentError):
    """The message was handled and failed for good; it is among the agent's dead letters."""

    def __init__(self, message_id: str, reason: str) -> None:
        self.message_id = message_id
        self.reason = reason
        super().__init__(reason)


class MailboxFull(AgentError):
    """So many messages wait for the agent, or the team, that it takes no more. `retry_after` is in seconds."""

    def __init__(self, name: str, retry_after: float) -> None:
        self.name = name
        self.retry_after = retry_after
        whose = name if "/" in name else f"agent {name!r}"
        super().__init__(
            f"the mailbox of {whose} is full; come back in {retry_after:.0f} s, or raise its mailbox_limit"
        )


class ReplyForgotten(AgentError):
    """The message was handled, but its reply is no longer kept."""

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        super().__init__(
            f"message {message_id!r} was handled and its reply is no longer kept; read the agent's transcript"
        )


class NoWorker(AgentError):
    """No worker has served agents for a while, so nobody can answer for one. Its messages wait for it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"no worker serves agent {name!r} now; what it is told waits: `aos up` or `aos-worker` starts one, "
            "`aos doctor` says more"
        )


class NotAnswering(AgentError):
    """No reply came in the time that was given; the message stays with the agent."""

    def __init__(self, name: str, seconds: float, message_id: str) -> None:
        self.name = name
        self.message_id = message_id
        super().__init__(
            f"agent {name!r} gave no reply within {seconds:g} s; the message {message_id!r} is with it all the same: "
            f"ask again with that id, see `aos status {name}`, and see `aos doctor` if no worker is running"
        )


class Unreachable(AosError):
    """The Temporal server does not answer."""

    def __init__(self, address: str, problem: str) -> None:
        self.address = address
        super().__init__(
            f"no Temporal server answers at {address} ({problem}); `aos up` starts one, TEMPORAL_ADDRESS names another"
        )


class ModelError(AosError):
    """A model call that failed. `remedy` says what a person can do about it."""

    def __init__(self, provider: str, model: str, problem: str, remedy: str) -> None:
        self.provider = provider
        self.model = model
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{provider}:{model}: {problem}; {remedy}")


class RetryableModelError(ModelError):
    """A model call that may succeed later. `retry_after` is in seconds, where the provider named one."""

    def __init__(self, provider: str, model: str, problem: str, remedy: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(provider, model, problem, remedy)


class TerminalModelError(ModelError):
    """A model call that cannot succeed as it is: a refused key, an unknown model, a filtered text."""


class ToolError(AosError):
    """Base of what a tool raises on purpose."""


class RetryableError(ToolError):
    """Raise it in a tool to be tried again, after `retry_after` seconds where given."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class TerminalError(ToolError):
    """Raise it in a tool when trying again cannot help: the model is told the message at once."""


class InvalidTool(AosError):
    """A function that cannot be a tool."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(f"tool {name!r}: {problem}")


class SetupError(AosError):
    """Something is missing or wrong on this machine; the message names the ways out."""


class BlobMissing(AosError):
    """The store does not hold what a reference names."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(
            f"the blob store holds nothing under {ref!r}; do all workers of this task queue share one store?"
        )


class MemoryConflict(AosError):
    """Records of the shared memory are not at the versions that a write expected; nothing was written.

    `conflicts` are their scopes and keys, with the version that was expected and the one that is there; 0 is none.
    """

    def __init__(self, conflicts: Sequence[tuple[str, str, int, int]]) -> None:
        self.conflicts = list(conflicts)
        told = [
            f"{key!r} in {scope} has {f'version {found}' if found else 'no version'}, not {expected or 'none'}"
            for scope, key, expected, found in self.conflicts
        ]
        super().__init__(f"{'; '.join(told)}: read it again, and write what is to be then")
