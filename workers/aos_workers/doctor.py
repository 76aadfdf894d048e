"""`aos doctor`: what is wrong with an installation, and how to mend it."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from aos.connection import connect
from aos.errors import AosError, SetupError
from aos.names import LIST_ATTRIBUTES, SEARCH_ATTRIBUTES
from aos_workers.examining_stores import examine_stores
from aos_workers.finding import Finding
from aos_workers.home import Home
from aos_workers.pace import examine_pace
from aos_workers.providers import make_registry
from aos_workers.serving import examine_serving
from aos_workers.settings import Settings, load_settings

_OLDEST_SERVER = (1, 28)
_ROOM = 1024**3


def examine(*, home: Path | None) -> list[Finding]:
    """Look at the settings, the home, the models, the server and the workers."""
    findings = [Finding("ok", f"Python {sys.version.split()[0]}")]
    try:
        settings = load_settings(home=home)
    except SetupError as error:
        return [*findings, Finding("error", str(error), "mend the setting that is named")]
    for look in (_home, _models):
        findings.extend(look(settings))
    return [*findings, *asyncio.run(_reached(settings))]


async def _reached(settings: Settings) -> list[Finding]:
    return [*await examine_stores(settings), *await _server(settings)]


def _home(settings: Settings) -> Iterable[Finding]:
    home = Home(settings.home)
    try:
        home.logs.mkdir(parents=True, exist_ok=True)
        probe = home.logs / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        yield Finding("error", f"the home {home.path} cannot be written: {error.strerror}", "give another with --home")
        return
    yield Finding("ok", f"the home {home.path} can be written")
    if (free := shutil.disk_usage(home.path).free) < _ROOM:
        yield Finding("warning", f"only {free // 1024**2} MiB of disk are left for {home.path}", "make room")


def _models(settings: Settings) -> Iterable[Finding]:
    default = make_registry(settings).default
    if default[0].startswith("offline") and not settings.offline:
        remedy = "set OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT and its like, or AWS_REGION and credentials"
        yield Finding("warning", "no model is set up, so the offline one serves", remedy)
    else:
        yield Finding("ok", f"agents that name no model use {', '.join(default)}")
    for folder in settings.documents:
        if not folder.is_dir():
            yield Finding("error", f"AOS_DOCUMENTS names {folder}, which is no folder", "create it, or name another")


async def _server(settings: Settings) -> list[Finding]:
    try:
        client = await connect()
    except AosError as error:
        return [Finding("error", str(error), "`aos up`, or TEMPORAL_ADDRESS")]
    looks: list[Callable[[], Awaitable[list[Finding]]]] = [
        lambda: _version(client),
        lambda: _search_attributes(client),
        lambda: examine_serving(client, settings.agents_cached),
        lambda: examine_pace(client),
    ]
    findings: list[Finding] = []
    for look in looks:
        try:
            findings.extend(await look())
        except RPCError as error:
            findings.append(Finding("warning", f"the server refused to tell: {error.message}", "ask its operator"))
    return findings


async def _version(client: Client) -> list[Finding]:
    cluster = await client.workflow_service.get_cluster_info(GetClusterInfoRequest(), retry=True)
    version = cluster.server_version
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    where = f"Temporal server {version} at {client.service_client.config.target_host}"
    if numbers < _OLDEST_SERVER:
        return [Finding("error", f"{where} is too old", "AOS needs 1.28 or newer, for worker versioning")]
    kept = (
        f", on {cluster.persistence_store} in {cluster.history_shard_count} shards" if cluster.persistence_store else ""
    )
    return [Finding("ok", where + kept)]


async def _search_attributes(client: Client) -> list[Finding]:
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), retry=True
    )
    types = {**dict.fromkeys(SEARCH_ATTRIBUTES, "Keyword"), **dict.fromkeys(LIST_ATTRIBUTES, "KeywordList")}
    missing = [name for name in types if name not in listed.custom_attributes]
    if missing:
        create = " ".join(f"--name {name} --type {types[name]}" for name in missing)
        remedy = f"start a worker, which creates them, or `temporal operator search-attribute create {create}`"
        return [Finding("warning", f"the namespace lacks the search attributes {', '.join(missing)}", remedy)]
    return [Finding("ok", "the search attributes are there")]
