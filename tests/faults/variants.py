"""Other builds of the agent: what a developer might change, well guarded or not."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import RawValue, VersioningBehavior

from aos.names import AGENT_WORKFLOW
from aos.views import Farewell
from aos_workflows.agent import PerpetualAgent
from aos_workflows.inbound import NOTHING

PATCH = "look-up-before-work"


@workflow.defn(name=AGENT_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Unguarded(PerpetualAgent):
    """Sleeps before each thing that it does, where agents that live have not slept."""

    @workflow.init
    def __init__(self, given: RawValue = NOTHING) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: RawValue = NOTHING) -> Farewell:
        return await super().run(given)

    async def _live(self) -> None:
        await workflow.sleep(0.01)
        await super()._live()


@workflow.defn(name=AGENT_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Guarded(PerpetualAgent):
    """Sleeps too, but only in runs whose history has no work without it."""

    @workflow.init
    def __init__(self, given: RawValue = NOTHING) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: RawValue = NOTHING) -> Farewell:
        return await super().run(given)

    async def _live(self) -> None:
        if workflow.patched(PATCH):
            await workflow.sleep(0.01)
        await super()._live()
