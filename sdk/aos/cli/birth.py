"""Starting agents, and seeing that they came alive: what the workers refuse is known only then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aos.errors import AosError

if TYPE_CHECKING:
    from aos.client import AosClient
    from aos.spec import AgentSpec

_PATIENCE = 15.0
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Birth:
    """What came of starting an agent. `taken_up`: a worker found the spec good; else none has looked at it yet."""

    spec: AgentSpec
    taken_up: bool = False
    error: AosError | None = None


async def start_all(client: AosClient, specs: Sequence[AgentSpec]) -> list[Birth]:
    """Start all agents, those too that come after one that cannot be."""
    return list(await asyncio.gather(*(_start(client, spec) for spec in specs)))


async def _start(client: AosClient, spec: AgentSpec) -> Birth:
    from temporalio.client import WorkflowFailureError

    from aos.connection import translated

    try:
        await client.start(spec)
        async with asyncio.timeout(_PATIENCE):
            await _alive(client, spec.name)
    except AosError as error:
        return Birth(spec, error=error)
    except WorkflowFailureError as error:
        return Birth(spec, error=translated(spec.name, error))
    except TimeoutError:
        return Birth(spec)
    return Birth(spec, taken_up=True)


async def _alive(client: AosClient, name: str) -> None:
    """Return once the agent lives; raise what it failed with if it does not come to live."""
    from aos.names import agent_workflow_id

    end = asyncio.create_task(client.temporal.get_workflow_handle(agent_workflow_id(name)).result())
    looking = asyncio.create_task(_looking(client, name))
    try:
        done, _ = await asyncio.wait([end, looking], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        end.cancel()
        looking.cancel()


async def _looking(client: AosClient, name: str) -> None:
    while True:
        if (await client.status(name)).condition not in {"starting", "refused"}:
            return
        await asyncio.sleep(_PAUSE)
