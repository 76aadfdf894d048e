"""Starting agents and teams, and seeing that they came alive: what the workers refuse is known only then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aos.errors import AosError

if TYPE_CHECKING:
    from aos.client import AosClient
    from aos.spec import AgentSpec
    from aos.team_spec import TeamSpec

_PATIENCE = 15.0
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Birth:
    """What came of starting one. `taken_up`: a worker found the spec good; else none has looked at it yet."""

    spec: AgentSpec | TeamSpec
    taken_up: bool = False
    error: AosError | None = None


async def start_all(client: AosClient, specs: Sequence[AgentSpec | TeamSpec]) -> list[Birth]:
    """Start all agents and teams, those too that come after one that cannot be."""
    return list(await asyncio.gather(*(_start(client, spec) for spec in specs)))


async def _start(client: AosClient, spec: AgentSpec | TeamSpec) -> Birth:
    from temporalio.client import WorkflowFailureError

    from aos.connection import translated
    from aos.team_spec import TeamSpec

    is_team = isinstance(spec, TeamSpec)
    address = f"team/{spec.name}" if is_team else f"agent/{spec.name}"

    try:
        await (client.teams.start(spec) if isinstance(spec, TeamSpec) else client.start(spec))
        async with asyncio.timeout(_PATIENCE):
            await _alive(client, address, is_team=is_team)
    except AosError as error:
        return Birth(spec, error=error)
    except WorkflowFailureError as error:
        return Birth(spec, error=translated(address if is_team else spec.name, error))
    except TimeoutError:
        return Birth(spec)
    return Birth(spec, taken_up=True)


async def _alive(client: AosClient, address: str, *, is_team: bool) -> None:
    """Return once it lives; raise what it failed with if it does not come to live."""
    end = asyncio.create_task(client.temporal.get_workflow_handle(address).result())
    looking = asyncio.create_task(_looking(client, address, is_team=is_team))
    try:
        done, _ = await asyncio.wait([end, looking], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        end.cancel()
        looking.cancel()


async def _looking(client: AosClient, address: str, *, is_team: bool) -> None:
    while True:
        status = await (client.teams.status(address) if is_team else client.status(address))
        if status.condition not in {"starting", "refused"}:
            return
        await asyncio.sleep(_PAUSE)
