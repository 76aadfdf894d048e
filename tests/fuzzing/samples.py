"""Valid input of every kind, to be made wrong."""

from __future__ import annotations

from typing import Any

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ship": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 20},
        "at": {"anyOf": [{"type": "number", "minimum": 0}, {"$ref": "#/$defs/hour"}]},
        "crew": {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 1},
    },
    "required": ["ship"],
    "additionalProperties": False,
    "$defs": {"hour": {"type": ["string", "null"], "enum": ["noon", None]}},
}

MESSAGES: tuple[dict[str, Any], ...] = (
    {"text": "Hello"},
    {"text": "Grüße 😀", "id": "m-1", "sender": "ben", "mode": "steer", "priority": 1, "wake": False},
    {"text": "x", "output_schema": _SCHEMA, "wait": False, "stream": True},
    {"text": "look", "images": [{"media_type": "image/png", "data": "aGk="}, {"url": "https://example.org/a.png"}]},
    {"text": "x", "mode": "interrupt", "sequence": {"stream": "s", "born": 1_700_000_000_000, "number": 7}},
)
EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "ship.arrived"},
    {"type": "ship.left", "source": "/harbour", "id": "e-1", "time": "2026-01-01T00:00:00Z", "specversion": "1.0"},
    {"type": "ship.left", "data": {"name": "Ada", "tons": [1, 2.5, {"deep": None}], "says": 'quote " and \\'}},
)
STOPS: tuple[dict[str, Any], ...] = ({}, {"when": "now"}, {"when": "turn", "reason": "the day is over"})
LOOKUPS: tuple[dict[str, Any], ...] = ({"ids": []}, {"ids": ["a", "b"]})
CHANGES: tuple[dict[str, Any], ...] = (
    {"purpose": "Rest."},
    {"max_steps": 3, "tools": ["current_time"], "triggers": [{"type": "event", "event": "ship.*", "text": "Look."}]},
    {"model": ["offline"], "output_schema": _SCHEMA, "temperature": 0.5, "patience": "15m"},
)
SPECS: tuple[dict[str, Any], ...] = (
    {"name": "ada"},
    {"name": "ada", "purpose": "Watch the harbour.", "instructions": "Look twice.", "version": "2", "model": "offline"},
    {
        "name": "ada",
        "model": ["openai:gpt-4o-mini", "offline"],
        "tools": ["current_time", "shop/find"],
        "permissions": ["orders.read"],
        "triggers": [
            {
                "type": "interval",
                "every": "1h30m",
                "jitter": 5,
                "gate": {"tool": "shop/find", "arguments": {"a": [1.5]}},
            },
            {"type": "cron", "cron": "0 9 * * 1-5", "timezone": "Europe/Berlin", "text": "Morning.", "gate": "news"},
            {"type": "event", "event": "ship.*"},
        ],
        "output_schema": _SCHEMA,
        "temperature": 0.2,
        "max_output_tokens": 500,
        "max_steps": 5,
        "batch": 10,
        "patience": "15m",
        "context_tokens": 8000,
        "rollover_events": 500,
    },
)
YAML: tuple[str, ...] = (
    "name: ada\npurpose: Watch the harbour.\n",
    "# comment\nname: ada\ninstructions: |\n  Look twice.\n  Then speak.\nmodel: offline\ntools: [current_time, a/b]\n",
    "name: ada\ntriggers:\n  - &t {type: interval, every: 15m}\n  - type: cron\n    cron: '0 9 * * *'\n---\n"
    'name: ben\noutput_schema: {type: object, properties: {a: {type: "string"}}}\n',
)
"""Manifests; those in JSON are made from `SPECS`."""
