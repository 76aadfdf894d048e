"""JSON that fits a schema, made of what a reply rests on."""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from aos_activities.models.offline.facts import Facts
from aos_activities.models.offline.shapes import (
    Json,
    entry,
    listing,
    mapping,
    names,
    resolve,
    type_of,
    valid,
    validator,
)

_DEEPEST = 12
_OPTIONAL_DEPTH = 2
_FEW = 24
_TOKEN = re.compile(r"(\\[dwsDS]|\[\^?[^\]]+\]|\\.|\.|[^\\\[(|])(\{\d+(?:,\d*)?\}|[+*?])?")


class Unfit(Exception):
    """No value was found that fits."""


def fit(schema: Mapping[str, object], facts: Facts) -> Json:
    """Return a JSON value that fits `schema`.

    Raises:
        Unfit: None was found; the message names the field.
    """
    return _Builder(schema, facts).build(dict(schema), "answer", 0)


class _Builder:
    def __init__(self, root: Mapping[str, object], facts: Facts) -> None:
        self._root = root
        self._facts = facts
        self._checker = validator(root)

    def build(self, schema: object, name: str, depth: int) -> Json:
        for value in self.options(schema, name, depth):
            return value
        raise Unfit(f"no value for {name!r}")

    def options(self, schema: object, name: str, depth: int) -> Iterator[Json]:
        """Yield values that fit `schema`, the best first, without repeats."""
        if depth > _DEEPEST or schema is False:
            return
        seen = list[Json]()
        for value in self._proposals(mapping(schema), name, depth):
            if value not in seen and valid(self._checker, value, schema):
                seen.append(value)
                yield value

    def _proposals(self, schema: dict[str, Json], name: str, depth: int) -> Iterator[Json]:
        found = resolve(schema, self._root)
        if "const" in found:
            yield found["const"]
        if choices := listing(found.get("enum")):
            yield from sorted(choices, key=lambda each: not self._facts.mentioned(str(each)))
            return
        for key in ("anyOf", "oneOf"):
            base = {each: part for each, part in found.items() if each != key}
            for option in listing(found.get(key)):
                yield from islice(
                    self._proposals({**base, **mapping(option)}, name, depth + 1) if depth < _DEEPEST else (), _FEW
                )
        kind = found.get("type")
        kinds = names(kind) if isinstance(kind, list) else [type_of(found)]
        makers: dict[str, Callable[[dict[str, Json], str, int], Iterator[Json]]] = {
            "string": self._strings, "integer": self._numbers, "number": self._numbers, "boolean": self._booleans,
            "array": self._arrays, "object": self._objects,
        }  # fmt: skip
        for each in sorted(kinds, key=lambda each: each == "null"):
            if each in makers:
                yield from makers[each]({**found, "type": each}, name, depth)
        yield from listing(found.get("examples"))
        if "default" in found:
            yield found["default"]
        yield None

    def _strings(self, schema: dict[str, Json], name: str, depth: int) -> Iterator[Json]:
        least, most = _count(schema, "minLength", 0), _count(schema, "maxLength", 1_000_000)
        texts = self._formatted(str(schema.get("format", "")), name)
        if pattern := schema.get("pattern"):
            texts = [*self._facts.words_of(), *_matching(str(pattern)), *texts]
        for text in (*texts, *self._facts.texts(name), name):
            yield (text + " " * max(0, least - len(text)) if text.strip() else "-" * least)[:most]
        for number in range(_FEW):
            yield f"{number}".ljust(least, "-")[: max(most, 0)]

    def _formatted(self, shape: str, name: str) -> list[str]:
        seed = hashlib.sha256(f"{name}\n{self._facts.reply}".encode("utf-8", "replace")).digest()
        dates = [*self._facts.dates(name), "2000-01-01"] if shape.startswith("date") else []
        known = {
            "date": dates,
            "date-time": [f"{date}T00:00:00Z" for date in dates],
            "time": ["00:00:00Z"],
            "duration": ["PT0S"],
            "email": ["nobody@example.invalid"],
            "uri": ["https://example.invalid/"],
            "hostname": ["example.invalid"],
            "ipv4": ["192.0.2.1"],
            "ipv6": ["2001:db8::1"],
            "uuid": [str(uuid.UUID(bytes=seed[:16], version=4))],
        }
        return known.get(shape, [])

    def _numbers(self, schema: dict[str, Json], name: str, depth: int) -> Iterator[Json]:
        low, high = (
            _bound(schema, ("minimum", "exclusiveMinimum"), max),
            _bound(schema, ("maximum", "exclusiveMaximum"), min),
        )
        step = schema.get("multipleOf")
        guesses = self._facts.numbers(name)
        if re.search("confidence|probability|certainty|score", name, re.IGNORECASE):
            guesses = [1.0 if self._facts.found else 0.0, *guesses]
        middle = (low + high) / 2 if low is not None and high is not None else 0.0
        guesses += [0.0, 1.0, *(edge for edge in (low, high) if edge is not None), middle]
        guesses += [
            (low if low is not None else high - _FEW if high is not None else 0.0) + each for each in range(_FEW)
        ]
        size = step if isinstance(step, int | float) and not isinstance(step, bool) and step > 0 else None
        for guess in guesses:
            if size is not None:
                for near in (0, 1, -1):
                    multiple = (math.floor(guess / size) + near) * size if math.isfinite(guess / size) else 0
                    yield _whole(multiple)
            elif schema["type"] == "integer":
                yield from (math.floor(guess), math.ceil(guess), math.floor(guess) + 1, math.ceil(guess) - 1)
            else:
                yield _whole(guess)

    def _booleans(self, schema: dict[str, Json], name: str, depth: int) -> Iterator[Json]:
        yield self._facts.found
        yield not self._facts.found

    def _arrays(self, schema: dict[str, Json], name: str, depth: int) -> Iterator[Json]:
        heads = listing(schema.get("prefixItems"))
        least, most = _count(schema, "minItems", 0), _count(schema, "maxItems", 1000)
        values = list[Json]()
        for place, part in enumerate(heads[:most]):
            values.append(next(self.options(part, f"{name} {place}", depth + 1), None))
        part = schema.get("items", {})
        singular = name.removesuffix("s") if name != "facts" else name
        wanted = max(least, min(most, self._natural_length(part, name)))
        distinct = list(
            islice(self.options(part, name if type_of(mapping(part)) == "string" else singular, depth + 1), wanted)
        )
        values += distinct[: max(0, wanted - len(values))]
        if values and schema.get("uniqueItems") is not True and distinct:
            values += [distinct[-1]] * (least - len(values))
        yield values
        yield values[:least]
        if "contains" in schema:
            yield [*values[: max(0, most - 1)], *islice(self.options(schema["contains"], name, depth + 1), 1)]

    def _natural_length(self, part: object, name: str) -> int:
        if part is False:
            return 0
        if type_of(resolve(mapping(part), self._root)) == "string" and "enum" not in mapping(part):
            texts = self._facts.texts(name)
            return max(
                1,
                len([text for text in texts if text not in (self._facts.reply, *self._facts.points)])
                or len(self._facts.points),
            )
        return 1

    def _objects(self, schema: dict[str, Json], name: str, depth: int) -> Iterator[Json]:
        properties = mapping(schema.get("properties"))
        required = names(schema.get("required"))
        others = schema.get("additionalProperties", {})
        least, most = _count(schema, "minProperties", 0), _count(schema, "maxProperties", 1000)
        made: dict[str, Json] = {}
        for key in required:
            if key not in made:
                part = properties.get(key, self._by_pattern(schema, key, others))
                value = next(self.options(part, key, depth + 1), ...)
                if value is ...:
                    return
                made[key] = value
        bare = dict(made)
        if depth <= _OPTIONAL_DEPTH or len(made) < least:
            for key, part in properties.items():
                if key not in made and len(made) < most and (depth <= _OPTIONAL_DEPTH or len(made) < least):
                    made.update((key, value) for value in islice(self.options(part, key, depth + 1), 1))
        extra = 1
        while len(made) < least and extra <= least:
            made.update((f"extra_{extra}", value) for value in islice(self.options(others, name, depth + 1), 1))
            extra += 1
        yield {key: made[key] for key in (*properties, *made) if key in made}
        yield bare

    def _by_pattern(self, schema: Mapping[str, Json], key: str, others: Json) -> Json:
        for pattern, part in mapping(entry(schema, "patternProperties")).items():
            try:
                if re.search(pattern, key):
                    return part
            except re.error:
                continue
        return others


def _whole(number: float) -> Json:
    return int(number) if math.isfinite(number) and float(number).is_integer() else number


def _count(schema: Mapping[str, Json], key: str, default: int) -> int:
    value = schema.get(key)
    return int(value) if isinstance(value, int | float) else default


def _bound(schema: Mapping[str, Json], keys: tuple[str, str], tighter: Callable[[list[float]], float]) -> float | None:
    edges = [
        float(edge) for key in keys if isinstance(edge := schema.get(key), int | float) and not isinstance(edge, bool)
    ]
    return tighter(edges) if edges else None


def _matching(pattern: str) -> list[str]:
    """Return texts for simple patterns: characters, classes and counts, without alternatives."""
    plain = re.sub(r"\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)", r"\1", pattern.strip("^$"))
    found = list[str]()
    for letter in ("a", "A", "0"):
        text = ""
        for match in _TOKEN.finditer(plain):
            count = re.search(r"\d+", match[2] or "")
            text += _character(match[1], letter) * (
                min(int(count[0]), 1000) if count else 0 if match[2] in ("*", "?") else 1
            )
        found.append(text)
    return found


def _character(token: str, letter: str) -> str:
    classes = {r"\d": "0", r"\w": letter, r"\s": " ", r"\D": "a", r"\S": letter, ".": letter}
    if token in classes:
        return classes[token]
    if token.startswith("["):
        return next(
            (each for each in (letter, *"aA0zZ9-_. /:", *map(chr, range(33, 127))) if re.match(token, each)), letter
        )
    return token.removeprefix("\\")
