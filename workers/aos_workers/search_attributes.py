"""The search attributes that make Temporal's visibility a registry of agents."""

from __future__ import annotations

import asyncio
import time

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from aos.names import LIST_ATTRIBUTES, SEARCH_ATTRIBUTES

_REFRESH_SECONDS = 2.0
"""How often each host of a Temporal cluster reads which search attributes a namespace has."""

_PATIENCE = 60.0

TYPES = {
    **dict.fromkeys(SEARCH_ATTRIBUTES, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
    **dict.fromkeys(LIST_ATTRIBUTES, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST),
}
"""The search attributes of AOS, each with its type."""

_log = structlog.get_logger(__name__)


async def ensure_search_attributes(client: Client) -> bool:
    """Create the search attributes that the namespace lacks, and return whether it has all of them now.

    Where the server does not let the worker create them, agents run without: a workflow that sets one that does not
    exist would be stuck.
    """
    service = client.operator_service
    try:
        listed = await service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), retry=True
        )
        missing = [name for name in TYPES if name not in listed.custom_attributes]
        if missing:
            await service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes={name: TYPES[name] for name in missing},
                ),
                retry=True,
            )
            await _until_known(client, missing)
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:
            return True
        _log.warning("search_attributes_missing", names=list(TYPES), problem=str(error))
        return False
    return True


async def _until_known(client: Client, names: list[str]) -> None:
    """Wait until all hosts of the server know new search attributes: a workflow that set one sooner would fail."""
    query = " OR ".join(f"{name} = 'none'" for name in names)
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            await client.count_workflows(query)
            break
        except RPCError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_REFRESH_SECONDS / 10)
    # The host that answered knows them; the others do when they have read once more.
    await asyncio.sleep(_REFRESH_SECONDS)
