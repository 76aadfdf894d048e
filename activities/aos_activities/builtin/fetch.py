"""The tool that gets pages from hosts that were opened to agents."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

from aos.tools import Tool, tool

if TYPE_CHECKING:
    from aos_activities.builtin.pages import Host


def fetch_tool(hosts: Sequence[str]) -> Tool[..., Awaitable[str]]:
    """Return `fetch_url` for `hosts`, each `host` or `host:port`.

    Raises:
        SetupError: A host that cannot be read.
    """
    allowed = _hosts(hosts) if hosts else []

    @tool(timeout="45s", permission="net.fetch")
    async def fetch_url(url: str) -> str:
        """Get a web page or a JSON document. The text of the page is returned, without its markup.

        Args:
            url: Address that starts with http:// or https://.
        """
        from aos_activities.builtin.pages import get_page

        return await get_page(url, allowed)

    return fetch_url


def _hosts(hosts: Sequence[str]) -> list[Host]:
    # Loaded where it is needed: the HTTP library is a tenth of the start of a worker.
    from aos_activities.builtin.pages import Host

    return [Host.read(host) for host in hosts]
