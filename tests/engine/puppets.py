"""Members that do as their test says, in the place of agents: what teams do is seen without what agents do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import FailureError

from aos.names import AGENT_WORKFLOW


@workflow.defn(name=AGENT_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Puppet:
    """Answers the messages that it gets, one after the other.

    The `instructions` of its spec are a JSON list of what it answers, each a text or the fields of a reply; after that
    it says its name and a number. `{"silent": true}` is no answer, `{"after": 1.5}` one that takes so many seconds.
    `{"hold": true}` waits for the signal `let_go`.
    """

    @workflow.init
    def __init__(self, spec: dict[str, Any]) -> None:
        self._script: list[Any] = json.loads(spec.get("instructions") or "[]")
        self._name: str = spec["name"]
        self._inbox: list[dict[str, Any]] = []
        self._heard: list[dict[str, Any]] = []
        self._known: set[str] = set()
        self._stopped = False
        self._free = False

    @workflow.run
    async def run(self, spec: dict[str, Any]) -> int:
        while True:
            await workflow.wait_condition(lambda: bool(self._inbox) or self._stopped)
            if self._stopped:
                return len(self._heard)
            await self._answer(self._inbox.pop(0))

    async def _answer(self, message: dict[str, Any]) -> None:
        self._heard.append(message)
        given = self._script.pop(0) if self._script else f"{self._name} {len(self._heard)}"
        reply: dict[str, Any] = {"text": given} if isinstance(given, str) else dict(given)
        if reply.pop("silent", False):
            return
        if after := reply.pop("after", 0):
            await workflow.sleep(after)
        if reply.pop("hold", False):
            await workflow.wait_condition(lambda: self._free or self._stopped)
        reply.setdefault("text", f"{self._name} {len(self._heard)}")
        reply.setdefault("status", "done")
        reply.setdefault("usage", {"input_tokens": 10, "output_tokens": 5, "calls": 1, "cost": 100})
        if to := message.get("reply_to"):
            asyncio.create_task(self._tell(to, {"id": message["id"], **reply}))  # noqa: RUF006

    async def _tell(self, to: str, reply: dict[str, Any]) -> None:
        try:
            await workflow.get_external_workflow_handle(to).signal("reply", reply)
        except FailureError:
            return

    @workflow.signal
    def send(self, message: dict[str, Any]) -> None:
        if message["id"] not in self._known:
            self._known.add(message["id"])
            self._inbox.append(message)

    @workflow.signal
    def let_go(self) -> None:
        self._free = True

    @workflow.signal
    def stop(self, wanted: dict[str, Any]) -> None:
        self._stopped = True

    @workflow.query
    def heard(self) -> list[dict[str, Any]]:
        return self._heard
