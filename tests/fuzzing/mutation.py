"""Valid JSON made wrong: in what it says, in how it is written, and in its bytes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from json.encoder import encode_basestring, encode_basestring_ascii
from random import Random
from typing import Any, cast

Node = dict[str, Any] | list[Any]


@dataclass(frozen=True)
class Written:
    """JSON text that no Python value stands for, such as half of a surrogate pair."""

    text: str


_TEXTS = ("", " ", "\0", "null", "\u202e", "😀", "\x7f", "a/b", "../..", "'", "${x}", "%s", "-", "1e5", "x" * 300)
_NUMBERS = (0, -1, 1, 0.1, -0.0, 1e15, 1e300, 2**31, 2**53 + 1, 2**63, -(2**64), 10**40, 10**4200)
_VALUES: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], {"": ""}, [1, "a"], {"type": "x"})
_WRITTEN = tuple(
    map(
        Written,
        (
            *("NaN", "Infinity", "-Infinity", "1e400", "-1e999", "1e-400", "9" * 5000, "1.", ".5", "01", "+1", "0x10"),
            *('"\\ud800"', '"\\udfff\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\x"', '"', "'a'", '"\n"', '"\\u12'),
            *("undefined", "True", "", "nul", "{", "[", "]", "}", "{]", '{"a"}', '{"a":1,}', "[1,]", "{1:2}", "//"),
        ),
    )
)
_BYTES = (
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xf5\x80\x80\x80",
    b"\xc0\xaf",
    b"\0",
    b"\x1b[2J",
)

_HUGE: tuple[Callable[[int], Any], ...] = (
    lambda size: "x" * 20 * size,
    lambda size: Written('"' + "\\u0001" * size + '"'),
    lambda size: Written("[" * size),
    lambda size: Written("[" * size + "]" * size),
    lambda size: Written('{"a":' * size + "1" + "}" * size),
    lambda size: Written("[" + ",".join(["1e15"] * size) + "]"),
    lambda size: Written("[" + ",".join(['""'] * size) + "]"),
    lambda size: Written("{" + ",".join(f'"k{number}":0' for number in range(size)) + "}"),
    lambda size: Written("{" + '"a":0,' * size + '"a":1}'),
    lambda size: Written('{"properties":{' + ",".join(f'"k{number}":{{}}' for number in range(size)) + "}}"),
    lambda size: "1" * size + "x",
    lambda size: "`" * 3 + " " * size,
    lambda size: "\U0010ffff" * size,
)


@cache
def _built(huge: Callable[[int], Any], size: int) -> Any:
    return huge(size)


class Mutator:
    """Makes JSON wrong by chance, and only by the chance that it is given."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def payload(self, value: Any) -> bytes:
        """Return `value` as JSON with something wrong about it; sometimes nothing is."""
        value = _copy(value)
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 4))):
            value = self._changed(value)
        data = self.written(value).encode("utf-8", "surrogatepass")
        if self.chance.random() < 0.25:
            data = self.bytes(data)
        return data

    def _changed(self, value: Any) -> Any:
        """Return `value`, which is changed, with one thing in it that is another."""
        places = list(_places(value))
        if not places:
            return self.odd()
        holder, key = self.chance.choice(places)
        change = self.chance.choice((self._replace, self._replace, self._wrap, self._drop, self._add, self._move))
        change(holder, key, places)
        return value

    def odd(self) -> Any:
        """Return a value that is hardly ever right."""
        draw = self.chance.random()
        if draw < 0.25:
            return self.chance.choice(_TEXTS)
        if draw < 0.5:
            return self.chance.choice(_NUMBERS)
        if draw < 0.7:
            return self.chance.choice(_WRITTEN)
        if draw < 0.99:
            return _copy(self.chance.choice(_VALUES))
        return self._huge()

    def _huge(self) -> Any:
        size = self.chance.choice((1_000, 20_000, 100_000))
        return _built(self.chance.choice(_HUGE), size)

    def _replace(self, holder: Node, key: Any, places: list[tuple[Node, Any]]) -> None:
        holder[key] = self.odd()

    def _wrap(self, holder: Node, key: Any, places: list[tuple[Node, Any]]) -> None:
        depth = self.chance.choice((1, 1, 2, 60, 110, 130, 190, 210))
        before, after = self.chance.choice((("[", "]"), ('{"properties":', "}"), ('{"a":', "}"), ('{"not":', "}")))
        holder[key] = Written(before * depth + self.written(holder[key]) + after * depth)

    def _drop(self, holder: Node, key: Any, places: list[tuple[Node, Any]]) -> None:
        del holder[key]

    def _add(self, holder: Node, key: Any, places: list[tuple[Node, Any]]) -> None:
        if isinstance(holder, list):
            holder.extend([copy.deepcopy(holder[key])] * self.chance.choice((1, 30, 200)))
            return
        name = self.chance.choice((*_TEXTS, str(key) + "s", str(key).upper(), str(key)[1:], "resume", "__proto__"))
        holder[name] = self.odd()

    def _move(self, holder: Node, key: Any, places: list[tuple[Node, Any]]) -> None:
        other, place = self.chance.choice(places)
        holder[key] = copy.deepcopy(other[place])

    def written(self, value: Any) -> str:
        """Return `value` as JSON text, of which the spaces and the escapes are as chance has it."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            pairs = [
                f"{self._text(name)}:{self.written(inner)}" for name, inner in cast("dict[str, Any]", value).items()
            ]
            if pairs and self.chance.random() < 0.02:
                pairs.append(self.chance.choice(pairs))
            return "{" + ",".join(pairs) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.written, cast("list[Any]", value))) + "]"
        return value.text if isinstance(value, Written) else json.dumps(value)

    def _text(self, text: str) -> str:
        # What `json.dumps` calls, without an encoder that is made anew for each text.
        return encode_basestring_ascii(text) if self.chance.random() < 0.5 else encode_basestring(text)

    def bytes(self, data: bytes) -> bytes:
        """Return `data` with something wrong about its bytes."""
        at = self.chance.randrange(len(data) + 1)
        match self.chance.randrange(8):
            case 0:
                return data[:at]
            case 1:
                return data[:at] + self.chance.choice(_BYTES) + data[at:]
            case 2:
                return self.chance.choice(_BYTES) + data
            case 3:
                return data[:at] + bytes([self.chance.randrange(256)]) + data[at + 1 :]
            case 4:
                return data + data[at:]
            case 5:
                return data.decode(errors="replace").encode(self.chance.choice(("utf-16", "utf-32", "utf-8-sig")))
            case 6:
                return self.chance.randbytes(self.chance.choice((1, 10, 1000)))
            case _:
                return self.chance.choice((b"", b" ", b"null", b"0", b'""', b"[]", b"{}", b'"hello"', b"true"))


def _places(value: Any) -> list[tuple[Node, Any]]:
    found: list[tuple[Node, Any]] = []
    left: list[Any] = [value]
    while left:
        each = left.pop()
        if isinstance(each, (dict, list)):
            node = cast("Node", each)
            found += [(node, key) for key in (node if isinstance(node, dict) else range(len(node)))]
            left += node.values() if isinstance(node, dict) else node
    return found


def _copy(value: Any) -> Any:
    """Return a copy of JSON in which no part is there twice. `copy.deepcopy` takes ten times as long to find out."""
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in cast("dict[str, Any]", value).items()}
    return list(map(_copy, cast("list[Any]", value))) if isinstance(value, list) else value
