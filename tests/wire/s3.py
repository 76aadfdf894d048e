"""A server that speaks as much of S3's API as a blob store uses, and takes nothing that is not signed."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=\S+/s3/aws4_request, SignedHeaders=\S+, Signature=[0-9a-f]{64}")


@dataclass
class Bucket:
    """A bucket and the objects in it. `refusing`: so many of the next requests are answered by 503."""

    name: str
    objects: dict[str, bytes] = field(default_factory=dict[str, bytes])
    refusing: int = 0


@contextmanager
def running_s3(bucket: Bucket) -> Generator[str]:
    """Serve a bucket until the block ends; yield the address of the server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if key := self._key():
                bucket.objects[key] = body
                self._answer(200)

        def do_GET(self) -> None:
            self._give()

        def do_HEAD(self) -> None:
            self._give()

        def _give(self) -> None:
            if key := self._key():
                if key in bucket.objects:
                    self._answer(200, bucket.objects[key])
                else:
                    self._refuse(404, "NoSuchKey")

        def _key(self) -> str:
            """Return the key that is asked for, or refuse."""
            if not _SIGNED.match(self.headers.get("authorization", "")):
                self._refuse(403, "AccessDenied")
                return ""
            if bucket.refusing:
                bucket.refusing -= 1
                self._refuse(503, "SlowDown")
                return ""
            name, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
            if name != bucket.name:
                self._refuse(404, "NoSuchBucket")
                return ""
            return key

        def _refuse(self, status: int, code: str) -> None:
            self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
