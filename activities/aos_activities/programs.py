"""A spec made ready to run: checked against what the workers have, and kept out of history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field
from temporalio import activity

from aos.errors import InvalidInput, TerminalModelError
from aos.memory import Position
from aos.names import app_task_queue
from aos.provider import ToolSchema
from aos.spec import AgentSpec
from aos.store import BlobStore, ref_of
from aos.tool_contracts import ToolDescription, ToolPolicy
from aos.wire import Wire
from aos_activities.failures import terminal
from aos_activities.models.registry import ProviderRegistry


class Program(Wire):
    """What every model call of an agent has in common. It lives in the store; history holds its reference."""

    system: str
    models: list[str] = Field(default_factory=list[str])
    tools: list[ToolSchema] = Field(default_factory=list[ToolSchema])
    output_schema: dict[str, Any] | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    context_tokens: int = 32_000
    blocks: list[Position] = Field(default_factory=list[Position])


class PrepareAgent(Wire):
    """A spec to make ready. `described` are its tools that applications serve."""

    spec: AgentSpec
    described: list[ToolDescription] = Field(default_factory=list[ToolDescription])


class Prepared(Wire):
    """An agent that is ready: its program's reference, how its tools run, and what the server was set up for."""

    program: str
    tools: dict[str, ToolPolicy] = Field(default_factory=dict[str, ToolPolicy])
    search_attributes: bool = False


def system_prompt(spec: AgentSpec) -> str:
    """Return what stands in front of every conversation of the agent."""
    parts = [f"You are {spec.name}, an agent that lives on and keeps one conversation."]
    if spec.purpose:
        parts.append(f"Your purpose: {spec.purpose}")
    if spec.instructions:
        parts.append(spec.instructions)
    return "\n\n".join(parts)


class ProgramActivities:
    """Makes agents ready.

    Args:
        builtin: The tools that AOS itself serves, always on offer or by name.
        always: Names of built-in tools that every agent has.
        search_attributes: Whether the server has AOS's search attributes.
    """

    def __init__(
        self,
        store: BlobStore,
        registry: ProviderRegistry,
        builtin: Sequence[ToolDescription],
        *,
        always: Sequence[str] = (),
        search_attributes: bool = False,
    ) -> None:
        self._store = store
        self._registry = registry
        self._builtin = {tool.definition.name: tool for tool in builtin}
        self._always = tuple(always)
        self._search_attributes = search_attributes

    @activity.defn(name="prepare_agent")
    async def prepare_agent(self, request: PrepareAgent) -> Prepared:
        """Check a spec's models, tools and permissions, and store its program.

        Raises:
            ApplicationError: `InvalidInput`, not retryable, naming every problem.
        """
        spec = request.spec
        problems = self._model_problems(spec)
        tools = self._tools(request, problems)
        if problems:
            raise terminal(InvalidInput(f"agent {spec.name!r}", problems))
        program = Program(
            system=system_prompt(spec),
            models=list(spec.model),
            tools=[tool.definition for tool in tools],
            output_schema=spec.output_schema,
            temperature=spec.temperature,
            max_output_tokens=spec.max_output_tokens,
            context_tokens=spec.context_tokens,
            blocks=spec.blocks,
        )
        data = program.model_dump_json().encode()
        await self._store.save([data])
        return Prepared(
            program=ref_of(data),
            tools={tool.definition.name: tool.policy for tool in tools},
            search_attributes=self._search_attributes,
        )

    def _model_problems(self, spec: AgentSpec) -> list[str]:
        problems: list[str] = []
        for name in spec.model:
            try:
                self._registry.find(name)
            except TerminalModelError as error:
                problems.append(f"model: {error}")
        return problems

    def _tools(self, request: PrepareAgent, problems: list[str]) -> list[ToolDescription]:
        spec = request.spec
        described = {(tool.policy.queue, tool.definition.name): tool for tool in request.described}
        tools: list[ToolDescription] = []
        for name in dict.fromkeys([*spec.tools, *self._always]):
            app, _, short = name.rpartition("/")
            tool = described.get((app_task_queue(app), short)) if app else self._builtin.get(name)
            if tool is None:
                problems.append(
                    f"tools: there is no built-in tool {name!r}; there are: {', '.join(sorted(self._builtin))}"
                )
            elif tool.policy.permission and tool.policy.permission not in spec.permissions:
                problems.append(
                    f"tools: {name} needs the permission {tool.policy.permission!r}; add it to the spec's permissions"
                )
            else:
                tools.append(tool)
        return tools


class Programs:
    """Reads programs, keeping those that were used last."""

    def __init__(self, store: BlobStore, *, cached: int = 1000) -> None:
        self._store = store
        self._cached = cached
        self._programs: dict[str, Program] = {}

    async def load(self, ref: str) -> Program:
        """Return the program of that reference."""
        if (program := self._programs.pop(ref, None)) is None:
            program = Program.model_validate_json(await self._store.load(ref))
        self._programs[ref] = program
        if len(self._programs) > self._cached:
            del self._programs[next(iter(self._programs))]
        return program
