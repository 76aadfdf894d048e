"""Who is alive and who can do what, as Temporal knows it: there is no second register of agents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from pydantic import Field
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from aos.address import kind_of
from aos.names import AGENT_WORKFLOW
from aos.views import AgentStatus
from aos.wire import Wire

Liveness = Literal["alive", "gone"]
"""`gone`: there is no such workflow, or it has ended."""

MOST_FOUND = 200
"""Agents of one skill that are looked at."""

_ASKED_AT_ONCE = 20
_ANSWER = timedelta(seconds=3)


class Conditions(Wire):
    """Asks whether those at `addresses` live."""

    addresses: list[str]


class FindBySkill(Wire):
    """Asks for the agents that have `skill`, except those at the addresses `but`."""

    skill: str
    but: list[str] = Field(default_factory=list[str])


class Able(Wire):
    """An agent that has a skill. `load`: what it works on and what waits for it."""

    address: str
    load: int
    paused: bool = False
    full: bool = False
    """No more fits into its mailbox."""


class DirectoryActivities:
    """Looks agents up.

    Args:
        client: Temporal's, with the namespace of the agents.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="conditions")
    async def conditions(self, asked: Conditions) -> dict[str, Liveness]:
        """Return by address whether each is alive."""
        gate = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def one(address: str) -> Liveness:
            async with gate:
                return await self._liveness(address)

        addresses = list(dict.fromkeys(asked.addresses))
        return dict(zip(addresses, await asyncio.gather(*map(one, addresses)), strict=True))

    @activity.defn(name="find_by_skill")
    async def find_by_skill(self, asked: FindBySkill) -> list[Able]:
        """Return the living agents that have a skill, those that can take work first and the least loaded first.

        One that does not answer in time comes last, for it may be busy with a long step, or have no worker.
        """
        return sorted(
            await self._loads(await self._having(asked.skill, set(asked.but))),
            key=lambda able: (able.paused or able.full, able.load, able.address),
        )

    async def _liveness(self, address: str) -> Liveness:
        try:
            described = await self._client.get_workflow_handle(address).describe(rpc_timeout=_ANSWER)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return "gone"
            raise
        # A run that was continued is described as the newest of its id, so this one has ended for good.
        ended = described.status not in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW)
        return "gone" if ended else "alive"

    async def _having(self, skill: str, but: set[str]) -> list[str]:
        quoted = skill.replace("\\", "\\\\").replace("'", "\\'")
        query = f"WorkflowType = '{AGENT_WORKFLOW}' AND ExecutionStatus = 'Running' AND AosSkills = '{quoted}'"
        found = [execution.id async for execution in self._client.list_workflows(query, limit=MOST_FOUND)]
        return [address for address in dict.fromkeys(found) if kind_of(address) == "agent" and address not in but]

    async def _loads(self, addresses: Sequence[str]) -> list[Able]:
        gate = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def one(address: str) -> Able | None:
            async with gate:
                return await self._load(address)

        return [able for able in await asyncio.gather(*map(one, addresses)) if able]

    async def _load(self, address: str) -> Able | None:
        handle = self._client.get_workflow_handle(address)
        try:
            status = await handle.query("status", result_type=AgentStatus, rpc_timeout=_ANSWER)
        except RPCError as error:
            # Visibility is behind: the agent has ended meanwhile.
            return None if error.status == RPCStatusCode.NOT_FOUND else Able(address=address, load=_UNKNOWN)
        except Exception:  # noqa: BLE001 - a query may fail in many ways, and the agent lives all the same
            return Able(address=address, load=_UNKNOWN)
        if status.condition in ("stopping", "stopped", "refused"):
            return None
        return Able(
            address=address,
            load=status.waiting + (status.condition == "working"),
            paused=status.condition == "paused",
            full=status.waiting >= status.mailbox_limit > 0,
        )


_UNKNOWN = 1_000_000
