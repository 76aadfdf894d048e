"""A network that can be broken: a TCP proxy on loopback."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

_IP = "127.0.0.1"
_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends RST."""


class Proxy:
    """Passes bytes on between those who connect to `address` and a server on `port`, unless told otherwise.

    `latency` is in seconds, each way, for every piece of data. Cleared `open` is silence: connections stay, new ones
    are taken, and nothing passes. With `refuses`, new connections are closed at once.
    """

    def __init__(self, port: int) -> None:
        self.address = ""
        self.latency = 0.0
        self.refuses = False
        self.open = asyncio.Event()
        self.open.set()
        self._port = port
        self._links: set[_Link] = set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Listen until the block ends, then cut what is connected."""
        server = await asyncio.start_server(self._serve, _IP, 0)
        self.address = f"{_IP}:{server.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            server.close()
            links = [*self._links]
            self.cut()
            await asyncio.gather(*(link.ended.wait() for link in links))
            await server.wait_closed()

    def cut(self, *, reset: bool = False) -> None:
        """End every connection, with FIN or with RST."""
        for link in self._links:
            link.end(reset=reset)

    def mute(self) -> None:
        """Let nothing pass any more on the connections that there are, without ending them."""
        for link in self._links:
            link.open = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.close()
            return
        try:
            upstream = await asyncio.open_connection(_IP, self._port)
        except OSError:
            # The server is not there: as if it had refused the connection itself.
            _reset(writer)
            writer.close()
            return
        link = _Link(self, (reader, writer), upstream)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)
            link.ended.set()


_Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: _Side, server: _Side) -> None:
        self.ended = asyncio.Event()
        self.open = proxy.open
        self._proxy = proxy
        self._sides = (client, server)
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        (client_in, client_out), (server_in, server_out) = self._sides
        self._tasks = [
            asyncio.create_task(_Pipe(self._proxy, self, client_in, server_out).run()),
            asyncio.create_task(_Pipe(self._proxy, self, server_in, client_out).run()),
        ]
        try:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.end()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def end(self, *, reset: bool = False) -> None:
        for _, writer in self._sides:
            if reset:
                _reset(writer)
            writer.close()
        for task in self._tasks:
            task.cancel()


class _Pipe:
    """One direction of a connection."""

    def __init__(self, proxy: Proxy, link: _Link, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._link = link
        self._source = source
        self._target = target
        self._late: deque[tuple[float, bytes]] = deque()
        self._more = asyncio.Event()

    async def run(self) -> None:
        writing = asyncio.create_task(self._write())
        try:
            while data := await self._source.read(_CHUNK):
                # What is sent stays in order also when the latency goes down.
                self._late.append((asyncio.get_running_loop().time() + self._proxy.latency, data))
                self._more.set()
        except OSError:
            return  # The connection was reset.
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            while not self._late:
                self._more.clear()
                await self._more.wait()
            due, data = self._late.popleft()
            if (early := due - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(early)
            await self._link.open.wait()
            if self._target.is_closing():
                return
            self._target.write(data)
            await self._target.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
