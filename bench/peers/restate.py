# /// script
# requires-python = ">=3.11"
# dependencies = ["restate-sdk==1.3.0", "hypercorn==0.18.0", "aiohttp==3.14.1"]
# ///
"""Restate: one virtual object is a conversation; a turn is a call of its handler, with one durable step."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    # In place of the script's own folder, and last, so that no file here hides a package of its name.
    sys.path[:] = [*sys.path[1:], str(Path(__file__).parents[1])]

import aiohttp
import hypercorn.asyncio
import restate
from measure import REPLY
from peers._peer import Program, Unavailable, main

PACKAGE = "@restatedev/restate-server@1.7.12"
CACHE = Path(__file__).parents[2] / ".aos" / "cache" / "npm"
READY_SECONDS = 60
_WORKER = "--worker"

chat = restate.VirtualObject("Chat")


async def model() -> str:
    """The model: it answers at once."""
    return REPLY


@chat.handler()
async def message(ctx: restate.ObjectContext, text: str) -> str:
    """Make one turn. The conversation is the state of the object."""
    messages = await ctx.get("messages", type_hint=list[str]) or []
    reply = await ctx.run_typed("model", model)
    ctx.set("messages", [*messages, text, reply])
    return reply


@dataclass
class RestatePeer:
    """The client's side."""

    http: aiohttp.ClientSession
    ingress: str
    admin: str
    parts: dict[str, list[int]]
    own: str = "client"
    durable: bool = True

    async def start(self, names: Sequence[str]) -> None:
        """An object begins with its first message."""

    async def ask(self, name: str, text: str) -> str:
        async with self.http.post(f"{self.ingress}/Chat/{name}/message", json=text) as response:
            response.raise_for_status()
            return await response.json()

    async def weigh(self, names: Sequence[str]) -> dict[str, float]:
        """The journals, which the server keeps for a day, and what the turns have written of the state."""
        return {"bytes": await self._sum("raw_length", "sys_journal")}

    async def _sum(self, column: str, table: str) -> float:
        query = {"query": f"SELECT CAST(SUM({column}) AS BIGINT) AS total FROM {table}"}
        async with self.http.post(f"{self.admin}/query", json=query, headers={"Accept": "application/json"}) as answer:
            answer.raise_for_status()
            rows = (await answer.json())["rows"]
        return float(rows[0]["total"] or 0)


@asynccontextmanager
async def opened(arguments: argparse.Namespace) -> AsyncGenerator[RestatePeer]:
    """Run a server on a fresh folder and a worker, and make them known to each other."""
    node, admin, ingress, endpoint = (f"127.0.0.1:{port}" for port in free_ports(4))
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {
            "RESTATE_BASE_DIR": name,
            "RESTATE_BIND_ADDRESS": node,
            "RESTATE_ADMIN__BIND_ADDRESS": admin,
            "RESTATE_INGRESS__BIND_ADDRESS": ingress,
            "RESTATE_LISTEN_MODE": "tcp",
            "RESTATE_LOG_FILTER": "off",
            "RESTATE_DISABLE_TELEMETRY": "true",
        }
        server = Program(binary(), "--no-logo", cwd=Path(name))
        worker = Program(sys.executable, __file__, _WORKER, endpoint)
        try:
            unlimited = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=unlimited, timeout=aiohttp.ClientTimeout(600)) as http:
                await register(http, f"http://{admin}/deployments", f"http://{endpoint}")
                parts = {"server": [server.pid], "worker": [worker.pid]}
                yield RestatePeer(http, f"http://{ingress}", f"http://{admin}", parts)
        finally:
            worker.stop()
            server.stop()


async def register(http: aiohttp.ClientSession, deployments: str, endpoint: str) -> None:
    """Tell the server where the worker is, as soon as both answer."""
    reason = ""
    for _ in range(READY_SECONDS * 4):
        try:
            async with http.post(deployments, json={"uri": endpoint}) as response:
                if response.status < 300:
                    return
                reason = await response.text()
        except aiohttp.ClientError as error:
            reason = str(error)
        await asyncio.sleep(0.25)
    raise Unavailable(f"restate-server did not come up within {READY_SECONDS} s: {reason}")


def binary() -> Path:
    """Return the server from npm, which is asked once. The package's own command would only start it as its child."""
    pattern = "node_modules/@restatedev/restate-server-*/bin/restate-server"
    found = next(CACHE.glob(pattern), None)
    if found is None:
        npm = shutil.which("npm")
        if npm is None:
            raise Unavailable("restate-server comes from npm, which is not installed")
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(CACHE), PACKAGE]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        found = next(CACHE.glob(pattern), None)
        if done.returncode or found is None:
            lines = done.stderr.strip().splitlines() or [f"code {done.returncode}"]
            raise Unavailable(f"npm does not install {PACKAGE}: {lines[-1]}")
    return found


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


if __name__ == "__main__":
    if sys.argv[1] == _WORKER:
        config = hypercorn.Config()
        config.bind = [sys.argv[2]]
        config.loglevel = "ERROR"
        asyncio.run(hypercorn.asyncio.serve(restate.app([chat]), config))
    else:
        main("restate", opened)
