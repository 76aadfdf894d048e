"""Telling a dev server that has become useless from one that is away or busy.

In the SQLite driver of Temporal CLI 1.5 and older, a call that is cancelled at the wrong moment leaves a statement open
on the only connection to the database. Every call after it fails with SQLite's code for an interrupt, until the process
ends. What was committed is safe.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

BROKEN_SECONDS = 5.0
"""How long a server may fail before it counts as broken."""

LOOK_SECONDS = 1.0
"""How often it is asked."""

_INTERRUPTED = "interrupted (9)"
_ANSWER = timedelta(seconds=5)


async def until_broken(address: str, namespace: str) -> str:
    """Return what the server at `address` says, once it has said nothing but that its database is interrupted."""
    client = await Client.connect(address, namespace=namespace, lazy=True)
    since: float | None = None
    while True:
        said = await _complaint(client)
        if said is None:
            since = None
        elif since is None:
            since = time.monotonic()
        elif time.monotonic() - since >= BROKEN_SECONDS:
            return said
        await asyncio.sleep(LOOK_SECONDS)


async def _complaint(client: Client) -> str | None:
    """Return the error of a read from the database, if it is the one that does not pass."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=_ANSWER)
    except (RuntimeError, RPCError) as error:  # RuntimeError is what a refused connection raises.
        return str(error) if _INTERRUPTED in str(error) else None
    return None
