"""The binary frames of `application/vnd.amazon.eventstream`."""

from __future__ import annotations

import json
from struct import pack
from typing import Any
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def event(name: str, payload: dict[str, Any]) -> bytes:
    """Return the frame of one event."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(payload).encode())


def failure(name: str, message: str) -> bytes:
    """Return the frame of an error within a stream."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """Return one frame: lengths and their checksum, headers, payload, and a checksum of all of it."""
    head = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    lengths = pack("!II", 4 + 4 + 4 + len(head) + len(payload) + 4, len(head))
    whole = lengths + pack("!I", crc32(lengths)) + head + payload
    return whole + pack("!I", crc32(whole))


def _header(name: bytes, value: bytes) -> bytes:
    return pack("!B", len(name)) + name + pack("!BH", _STRING, len(value)) + value
