"""Answers of model providers, made wrong: their JSON, their streams, their frames, their length."""

from __future__ import annotations

import json
import struct
from random import Random
from struct import pack, unpack
from types import ModuleType
from zlib import crc32

from fuzzing.mutation import Mutator
from wire import bedrock_converse
from wire.script import Call, Received, Response, Say

_ARGUMENTS = (
    "",
    "{}",
    '{"nail": "n"}',
    '{"nail": 5}',
    "[1]",
    '{"nail":',
    "null",
    "NaN",
    '{"a": NaN}',
    '{"a": "\\ud800"}',
    "x",
)
_DEEP = (
    "[" * 1000,
    '{"a":' * 150 + "1" + "}" * 150,
    '{"a": "' + "x" * 70_000 + '"}',
    '{"a": [' + "1e15," * 13_000 + "1]}",
)


def reply(chance: Random) -> Say:
    """Return an answer that a model may give, however little sense it makes."""
    ids = ("call_1", "call_1", "", "é" * 50, "x" * 300, "call_2", "\0")
    names = ("hammer", "hammer", "saw", "fly", "", "a b", "n" * 5000, "hammer ", "set_timer")
    calls = tuple(
        Call(chance.choice(ids), chance.choice(names), chance.choice(_ARGUMENTS * 12 + _DEEP))
        for _ in range(chance.choice((0, 0, 1, 1, 2, 5, 140 if chance.random() < 0.1 else 3)))
    )
    texts = (
        "",
        "Done.",
        "Grüße 😀",
        "```json\n{}\n```",
        '{"a": 1}',
        "```" + " " * 5000,
        "x" * (1_000_000 if chance.random() < 0.02 else 9),
    )
    return Say(pieces=(chance.choice(texts), chance.choice(texts)), calls=calls, input_tokens=5, output_tokens=7)


def mutant(chance: Random, wire: ModuleType, *, stream: bool) -> Response:
    """Return a reply in a provider's wire format, with something wrong about it; sometimes nothing is."""
    path = "/model/m/converse-stream" if stream else "/model/m/converse"
    body = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "stream": stream}
    right: Response = wire.speak(Received(path, {}, {}, body), reply(chance))
    parts = list(right.parts)
    frames = stream and wire is bedrock_converse
    mutator = Mutator(chance)
    for _ in range(chance.choice((0, 1, 1, 2))):
        at = chance.randrange(len(parts))
        match chance.randrange(8):
            case 0 if stream:
                del parts[at]
                parts = parts or [b""]
            case 1 if stream:
                parts.insert(chance.randrange(len(parts) + 1), parts[at])
            case 2:
                parts[at] = parts[at][: chance.randrange(len(parts[at]) + 1)]
            case 3:
                parts[at] = mutator.bytes(parts[at])
            case _:
                parts[at] = _rewritten(mutator, parts[at], stream=stream, frames=frames)
    status = chance.choice((400, 404, 429, 500, 503)) if chance.random() < 0.05 else 200
    return Response(tuple(parts), status, right.content_type, chunked=right.chunked)


def _rewritten(mutator: Mutator, part: bytes, *, stream: bool, frames: bool) -> bytes:
    try:
        if frames:
            head = part[12 : 12 + unpack("!I", part[4:8])[0]]
            return _frame(head, mutator.payload(json.loads(part[12 + len(head) : -4])))
        if stream:
            return b"data: " + mutator.payload(json.loads(part.removeprefix(b"data: "))) + b"\n\n"
        return mutator.payload(json.loads(part))
    except (ValueError, RecursionError, struct.error):
        # It was made wrong before, perhaps nested without end, or is the end of a stream.
        return mutator.bytes(part)


def _frame(head: bytes, payload: bytes) -> bytes:
    lengths = pack("!II", 16 + len(head) + len(payload), len(head))
    whole = lengths + pack("!I", crc32(lengths)) + head + payload
    return whole + pack("!I", crc32(whole))
