"""A tool's arguments, found in what a message says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aos_activities.models.offline.shapes import Json, conforms, entry, mapping, names, resolve, type_of

FILE = re.compile(
    r"(?<![\w/.:-])(?:[\w.-]+/)*[\w-][\w.-]*\.(?:md|txt|rst|csv|json|ya?ml|html?|log|pdf|xml|toml|py|docx?)\b",
    re.IGNORECASE,
)
URL = re.compile(r"https?://[^\s<>\"'`)\]]+[^\s<>\"'`)\].,;:!?]", re.IGNORECASE)
_ZONE = re.compile(r"\b(?:[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?|UTC|GMT)\b")
_QUOTED = re.compile(r"\"([^\"\n]*)\"|“([^”\n]*)”|`([^`\n]*)`|(?<!\w)'([^'\n]*)'(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_LENGTH = re.compile(
    r"\b(\d+(?:\.\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|"
    r"thirty|sixty|ninety|half an?)\s*-?"
    r"(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)\b",
    re.IGNORECASE,
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_NUMERALS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine":
    9, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90,
}  # fmt: skip
_CITIES = {
    "berlin": "Europe/Berlin", "paris": "Europe/Paris", "london": "Europe/London", "madrid": "Europe/Madrid",
    "rome": "Europe/Rome", "vienna": "Europe/Vienna", "zurich": "Europe/Zurich", "moscow": "Europe/Moscow",
    "new york": "America/New_York", "chicago": "America/Chicago", "los angeles": "America/Los_Angeles",
    "toronto": "America/Toronto", "tokyo": "Asia/Tokyo", "shanghai": "Asia/Shanghai", "singapore": "Asia/Singapore",
    "dubai": "Asia/Dubai", "sydney": "Australia/Sydney", "sao paulo": "America/Sao_Paulo", "cairo": "Africa/Cairo",
    "nairobi": "Africa/Nairobi", "delhi": "Asia/Kolkata",
}  # fmt: skip
_FILLER = re.compile(
    r"^(?:[\s:,.()]|\b(?:tool|with|on|for|to|about|and|please|of|in|the following|now)\b)+", re.IGNORECASE
)


@dataclass(slots=True)
class Filled:
    """Arguments found, and the required ones that were not."""

    arguments: dict[str, Json] = field(default_factory=dict[str, Json])
    missing: list[str] = field(default_factory=list[str])


def seconds_in(text: str) -> float | None:
    """Return the length of time that `text` names, in seconds: `2 hours and 30 minutes`."""
    total, end = 0.0, None
    for match in _LENGTH.finditer(text):
        if end is not None and not re.fullmatch(r"\s*,?\s*(?:and\s+)?", text[end : match.start()]):
            break
        word = match[1].lower()
        amount = 0.5 if word.startswith("half") else float(_NUMERALS.get(word, word))
        total += amount * _UNITS[match[2][0].lower()]
        end = match.end()
    return total if end is not None else None


def zone_in(text: str) -> str | None:
    """Return the time zone that `text` names, by its IANA name or by a large city."""
    if match := _ZONE.search(text):
        return match[0]
    return next((zone for city, zone in _CITIES.items() if re.search(rf"\b{city}\b", text, re.IGNORECASE)), None)


def fill(schema: Mapping[str, object], text: str) -> Filled:
    """Return the arguments of the JSON schema `schema` that `text` gives.

    In this order: a JSON object in the text; `name=value` and `name: value`; what looks like a file, URL, time zone,
    date or length of time and is wanted; quoted texts and numbers in their order; the rest of the text, for one text.
    """
    properties = {key: resolve(mapping(part), schema) for key, part in mapping(entry(schema, "properties")).items()}
    required = [name for name in names(entry(schema, "required")) if name in properties]
    if (given := _object_in(text, properties, schema)) is not None:
        return Filled(given, [name for name in required if name not in given])
    filled: dict[str, Json] = {}
    rest = _named(properties, text, filled)
    for name, part in properties.items():
        if (
            name not in filled
            and (value := _looking_like(name, part, rest)) is not None
            and conforms(value, part, schema)
        ):
            filled[name] = value
    _in_order(properties, required, rest, filled, schema)
    return Filled(filled, [name for name in required if name not in filled])


def _object_in(text: str, properties: Mapping[str, object], schema: Mapping[str, object]) -> dict[str, Json] | None:
    decoder = json.JSONDecoder()
    for match in list(re.finditer(r"\{", text))[:20]:
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        found: dict[str, Json] = mapping(value)
        if not properties or any(key in properties for key in found) or not found:
            closed = entry(schema, "additionalProperties") is False
            return {key: each for key, each in found.items() if not closed or key in properties}
    return None


def _named(properties: Mapping[str, Mapping[str, object]], text: str, filled: dict[str, Json]) -> str:
    """Fill what the text gives by name, and return the rest of the text."""
    if not properties:
        return text
    choice = "|".join(re.escape(name).replace("_", r"[_\s]") for name in sorted(properties, key=len, reverse=True))
    by_pattern = {name.replace("_", " ").casefold(): name for name in properties}
    mark = re.compile(
        rf"(?<![\w/.])[\"'`]?({choice})[\"'`]?(?:\s*(=|:(?!//))\s*|\s+(?:(is|as|of)\s+)?(?=\S))", re.IGNORECASE
    )
    marks = list(mark.finditer(text))
    keep, end = list[str](), 0
    for place, match in enumerate(marks):
        if match.start() < end:
            continue
        name = by_pattern[match[1].replace("_", " ").casefold()]
        stop = marks[place + 1].start() if place + 1 < len(marks) else len(text)
        raw, used = _raw_value(
            text[match.end() : max(stop, match.end())], match[2] == ":", type_of(properties[name]) == "array"
        )
        value = coerce(raw, properties[name]) if raw else None
        if name in filled or value is None or (not match[2] and isinstance(value, str) and not _bare_value(raw)):
            continue
        filled[name] = value
        keep.append(text[end : match.start()])
        end = match.end() + used
    keep.append(text[end:])
    return " ".join(keep)


def _raw_value(text: str, to_the_end: bool, many: bool) -> tuple[str, int]:
    if (match := _QUOTED.match(text)) and not (many and text[match.end() :].lstrip().startswith(",")):
        return next(group for group in match.groups() if group is not None), match.end()
    if text[:1] in "[{":
        try:
            _, end = json.JSONDecoder().raw_decode(text)
            return text[:end], end
        except (ValueError, RecursionError):
            pass
    match = re.match(r"[^\n;]+" if to_the_end or many else r"[^\s;)]+", text)
    raw = match[0] if match else ""
    return re.sub(r"(?:[\s,.!?)]|\s+and)+$", "", raw), len(raw)


def _bare_value(raw: str) -> bool:
    """Return whether a word after a parameter's name is a value and not the sentence going on."""
    return bool(re.search(r"[\d./_-]", raw)) or raw[:1].isupper()


def coerce(raw: str, schema: Mapping[str, object]) -> Json:
    """Return `raw` as the type that `schema` wants, or None if it is none such."""
    options = entry(schema, "enum")
    if options is not None:
        return next((option for option in names(options) if option.casefold() == raw.casefold()), None)
    kind = type_of(schema)
    if kind in ("integer", "number"):
        number = raw.replace(",", "")
        if re.fullmatch(r"-?\d{1,300}(?:\.0+)?" if kind == "integer" else r"-?\d{1,300}(?:\.\d+)?", number):
            return int(number.partition(".")[0]) if kind == "integer" or "." not in number else float(number)
        return None
    if kind == "boolean":
        return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(raw.casefold())
    if kind in ("array", "object"):
        try:
            value: Json = json.loads(raw)
        except (ValueError, RecursionError):
            value = None
        if kind == "object":
            return value if isinstance(value, dict) else None
        if isinstance(value, list):
            return value
        part = mapping(entry(schema, "items"))
        values = [coerce(each.strip().strip("\"'`"), part) for each in re.split(r",|\band\b", raw) if each.strip()]
        return values if values and all(each is not None for each in values) else None
    return raw


def _looking_like(name: str, schema: Mapping[str, object], text: str) -> Json:
    """Return what in `text` can only be meant for a parameter of this name and type."""
    kind, wanted, shape = type_of(schema), name.casefold(), entry(schema, "format")
    if isinstance(entry(schema, "enum"), list):
        options = [
            each
            for each in names(entry(schema, "enum"))
            if re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text, re.IGNORECASE)
        ]
        return options[0] if options else None
    if kind in ("integer", "number"):
        length = seconds_in(text) if re.search(r"second|duration|delay|timeout", wanted) else None
        return None if length is None else int(length) if length.is_integer() else length if kind == "number" else None
    if kind != "string":
        return None
    if re.search(r"zone|^tz$", wanted):
        return zone_in(text)
    for pattern, fits in (
        (URL, re.search(r"ur[li]|link|website", wanted) or shape in ("uri", "url")),
        (FILE, re.search(r"path|file|document", wanted)),
        (_EMAIL, re.search("mail", wanted) or shape == "email"),
        (_DATE, re.search("date|day", wanted) or shape == "date"),
    ):
        if fits and (match := pattern.search(text)):
            return match[0]
    return None


def _in_order(
    properties: Mapping[str, Mapping[str, object]],
    required: list[str],
    text: str,
    filled: dict[str, Json],
    schema: Mapping[str, object],
) -> None:
    """Give quoted texts and numbers, in their order, to the required parameters that are still open."""
    quoted = [next(group for group in match.groups() if group is not None) for match in _QUOTED.finditer(text)]
    plain = URL.sub(" ", FILE.sub(" ", _QUOTED.sub(" ", text)))
    numbers = [match[0] for match in _NUMBER.finditer(plain)]
    for name in required:
        part = properties[name]
        if name in filled:
            continue
        pool = numbers if type_of(part) in ("integer", "number") else quoted if type_of(part) == "string" else []
        value = coerce(pool.pop(0), part) if pool else None
        if value is not None and conforms(value, part, schema):
            filled[name] = value
    texts = [name for name in required if name not in filled and type_of(properties[name]) == "string"]
    remainder = _FILLER.sub("", plain).strip(" .!?\n:,")
    specific = re.compile(r"path|file|url|uri|zone|mail|date", re.IGNORECASE)
    if (
        len(texts) == 1
        and remainder
        and not specific.search(texts[0])
        and conforms(remainder, properties[texts[0]], schema)
    ):
        filled[texts[0]] = remainder
