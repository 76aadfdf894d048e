"""How long the history of a workflow is."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.client import Client


@dataclass(frozen=True)
class Length:
    """How long the history of a workflow's run was at some time."""

    temporal: Client
    id: str
    run_id: str
    events: int
    bytes: int

    @classmethod
    async def of(cls, temporal: Client, id: str, run_id: str | None = None) -> Length:
        """Return the length of a run, the newest by default."""
        described = await temporal.get_workflow_handle(id, run_id=run_id).describe()
        found = described.raw_description.workflow_execution_info
        return cls(temporal, id, found.execution.run_id, found.history_length, found.history_size_bytes)

    async def growth(self) -> tuple[int, int]:
        """Return by how many events and bytes the history grew since, over one rollover at most."""
        now = await Length.of(self.temporal, self.id)
        if now.run_id == self.run_id:
            return now.events - self.events, now.bytes - self.bytes
        ended = await Length.of(self.temporal, self.id, self.run_id)
        return ended.events - self.events + now.events, ended.bytes - self.bytes + now.bytes
