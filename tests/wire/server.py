"""An HTTP server that plays a script, one reply for each request."""

from __future__ import annotations

import json
import sys
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from wire.script import KeepSilent, Received, Reply, Response

Speak = Callable[[Received, Reply], Response]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Report everything but a client that went away, as some tests have it do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class ModelServer:
    """Listens on a free port of this machine while the `with` block lasts.

    Args:
        speak: Puts a reply into a provider's wire format.
    """

    def __init__(self, speak: Speak) -> None:
        self.received: list[Received] = []
        self._script: deque[Reply] = deque()
        self._over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler(speak))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def will(self, *replies: Reply) -> None:
        """Add to the script."""
        self._script.extend(replies)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and end what is under way."""
        if not self._over.is_set():
            self._over.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def _handler(self, speak: Speak) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                target = urlsplit(self.path)
                received = Received(
                    path=unquote(target.path),
                    query=dict(parse_qsl(target.query)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=json.loads(self.rfile.read(int(self.headers["Content-Length"]))),
                )
                server.received.append(received)
                reply = server._script.popleft()
                if isinstance(reply, KeepSilent):
                    server._over.wait()
                    self.close_connection = True
                    return
                self._send(speak(received, reply))

            def _send(self, response: Response) -> None:
                body = b"".join(response.parts)
                self.send_response(response.status)
                self.send_header("Content-Type", response.content_type)
                for name, value in response.headers.items():
                    self.send_header(name, value)
                if response.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                else:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                parts = response.parts if response.chunked else (body[: len(body) // 2], body[len(body) // 2 :])
                if response.broken:
                    parts = parts[: len(parts) // 2]
                for part in parts:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if response.chunked else part)
                    self.wfile.flush()
                if response.broken == "silent":
                    server._over.wait()
                if response.broken in ("cut", "silent"):
                    self.close_connection = True
                elif response.chunked:
                    self.wfile.write(b"0\r\n\r\n")

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output quiet."""

        return Handler
