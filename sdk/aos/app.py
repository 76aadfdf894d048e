"""An application: the tools, agents and teams of one Python package, and how it is found."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path

from aos.errors import InvalidInput, SetupError
from aos.names import app_task_queue, check_name
from aos.spec import AgentSpec
from aos.team_spec import TeamSpec
from aos.tools import Tool, by_name

ENTRY_POINTS = "aos.apps"
"""Entry-point group in which installed packages name their applications."""


@dataclass(frozen=True, init=False, eq=False)
class App:
    """Tools, agents and teams that belong together: `App("shop", tools=[find_order], agents=[clerk])`.

    The tools are served on a task queue of the application's own; agents name them `shop/find_order`.

    Raises:
        InvalidInput: The name cannot be one, or two agents or two teams share one, or an agent wants a tool of this
            application that there is not.
        InvalidTool: Two tools share a name, or a function lacks `@tool`.
    """

    name: str
    tools: tuple[Tool, ...]
    agents: tuple[AgentSpec, ...]
    teams: tuple[TeamSpec, ...]

    def __init__(
        self,
        name: str,
        *,
        tools: Iterable[Tool] = (),
        agents: Iterable[AgentSpec] = (),
        teams: Iterable[TeamSpec] = (),
    ) -> None:
        try:
            object.__setattr__(self, "name", check_name(name))
        except ValueError as error:
            raise InvalidInput(f"app {name!r}", [str(error)]) from None
        object.__setattr__(self, "tools", tuple(by_name(tools).values()))
        object.__setattr__(self, "agents", tuple(agents))
        object.__setattr__(self, "teams", tuple(teams))
        problems = [*self._agent_problems(), *self._team_problems()]
        if problems:
            raise InvalidInput(f"app {name!r}", problems)

    @property
    def task_queue(self) -> str:
        """Task queue on which the application's tools are served."""
        return app_task_queue(self.name)

    def _agent_problems(self) -> Iterable[str]:
        seen: set[str] = set()
        served = [f"{self.name}/{tool.name}" for tool in self.tools]
        for agent in self.agents:
            if agent.name in seen:
                yield f"agents: there are two called {agent.name!r}"
            seen.add(agent.name)
            for tool in agent.tools:
                if tool.startswith(f"{self.name}/") and tool not in served:
                    yield f"agents: {agent.name} wants {_unknown('tool', tool, served)}"

    def _team_problems(self) -> Iterable[str]:
        names = [team.name for team in self.teams]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"teams: there are two called {name!r}"


def installed_apps() -> dict[str, str]:
    """Return the applications that installed packages name, as `module:attribute` by name, without importing any."""
    return {entry.name: entry.value for entry in sorted(entry_points(group=ENTRY_POINTS))}


def load_app(reference: str) -> App:
    """Return the application at `module:attribute`, or the installed one of that name.

    The current directory is searched for the module too.

    Raises:
        SetupError: There is none, or its module cannot be imported; the message says why.
    """
    where = reference
    if ":" not in where:
        installed = installed_apps()
        if where not in installed:
            raise SetupError(f"{_unknown('installed application', where, installed)}; or write 'module:attribute'")
        where = installed[where]
    module_name, _, attribute = (part.strip() for part in where.partition(":"))
    if not module_name or not attribute.isidentifier() or not all(map(str.isidentifier, module_name.split("."))):
        raise SetupError(f"{where!r} names no application: write 'module:attribute', for instance 'shop.agents:app'")
    module = _import(where, module_name)
    found = getattr(module, attribute, None)
    if isinstance(found, App):
        return found
    apps = [name for name, value in vars(module).items() if isinstance(value, App)]
    if found is not None:
        raise SetupError(f"{where!r} is a {type(found).__name__}, not an aos.app.App; {_listed('application', apps)}")
    raise SetupError(f"the module {module_name!r} has {_unknown('application', attribute, apps)}")


def _import(where: str, module_name: str) -> object:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
        importlib.invalidate_caches()
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            problem = f"there is no module {error.name!r}, neither installed nor in {here}"
            raise SetupError(f"application {where!r}: {problem}") from None
        raise SetupError(f"application {where!r} needs the module {error.name!r}, which is not installed") from error
    except Exception as error:  # whatever the application's own code raises
        raise SetupError(f"application {where!r}: importing it failed: {type(error).__name__}: {error}") from error


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = get_close_matches(name, known, n=1)
    return f"no {kind} {name!r}; " + (f"did you mean {close[0]!r}?" if close else _listed(kind, known))


def _listed(kind: str, known: Iterable[str]) -> str:
    names = ", ".join(sorted(known))
    return f"there is: {names}" if names else f"there is no {kind}"
