"""What a model server is told to do with the next request, in words that fit every provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool call, whose `arguments` are the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Say:
    """Answer. A broken answer stops half way: the connection is cut, goes silent, or ends as if all were said."""

    pieces: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    finish: Literal["stop", "length", "content_filter"] = "stop"
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    broken: Literal["", "cut", "silent", "short"] = ""


@dataclass(frozen=True)
class Refuse:
    """Answer with an error of this kind, in the provider's own words."""

    kind: Literal["rate", "server", "key", "model", "filter", "long"]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Complain:
    """Answer HTTP 400 with this text."""

    text: str


@dataclass(frozen=True)
class Ramble:
    """Answer HTTP 200 with something that is not the provider's format."""

    body: bytes = b'{"choices": [{"mess'


@dataclass(frozen=True)
class KeepSilent:
    """Take the request and say nothing."""


@dataclass(frozen=True)
class FailMidway:
    """Begin to stream, then report an error within the stream."""

    kind: Literal["rate", "server"] = "server"


Reply = Say | Refuse | Complain | Ramble | KeepSilent | FailMidway


@dataclass(frozen=True)
class Received:
    """A request as it came in. Names of headers are in lower case."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json


@dataclass(frozen=True)
class Response:
    """What goes out: the parts of one body, or of a stream where `chunked`."""

    parts: tuple[bytes, ...]
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    chunked: bool = False
    broken: Literal["", "cut", "silent", "short"] = ""
