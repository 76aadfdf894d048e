"""The page of limits tells what the code holds."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aos import limits
from aos.delivery import WAITING_ASKS as OPEN_ASKS
from aos.memory import KEY_CHARS, TEXT_BYTES, WRITES
from aos.message import MESSAGE_ID_CHARS
from aos.names import NAME_LIMIT
from aos.topic import MOST_HELD, TOPIC_CHARS
from aos.topic_filter import FILTER_BYTES, FILTER_DEPTH
from aos_activities.models.tool_calls import CALLS_PER_STEP
from aos_activities.tool_results import RESULT_BYTES
from aos_workflows.agent import URGENT_ASKS, URGENT_EVENTS, WAITING_ASKS
from aos_workflows.dead import DEAD_LETTERS_KEPT
from aos_workflows.replies import KEPT
from aos_workflows.seen import GAPS, IDS, STREAMS
from aos_workflows.tool_calls import TIMERS
from pages.place import ROOT

SIZES = {name: value for name, value in vars(limits).items() if name.isupper()} | {
    "RESULT_BYTES": RESULT_BYTES,
    "TEXT_BYTES": TEXT_BYTES,
}
NUMBERS = {
    "NAME_LIMIT": NAME_LIMIT,
    "MESSAGE_ID_CHARS": MESSAGE_ID_CHARS,
    "TOPIC_CHARS": TOPIC_CHARS,
    "FILTER_BYTES": FILTER_BYTES,
    "FILTER_DEPTH": FILTER_DEPTH,
    "MOST_HELD": MOST_HELD,
    "KEY_CHARS": KEY_CHARS,
    "WRITES": WRITES,
    "CALLS_PER_STEP": CALLS_PER_STEP,
    "TIMERS": TIMERS,
    "WAITING_ASKS": WAITING_ASKS,
    "DEAD_LETTERS_KEPT": DEAD_LETTERS_KEPT,
    "KEPT": KEPT,
    "IDS": IDS,
    "STREAMS": STREAMS,
    "GAPS": GAPS,
    "URGENT_EVENTS": URGENT_EVENTS,
    "URGENT_ASKS": URGENT_ASKS,
}
_UNITS = {"KiB": 1024, "MiB": 1024 * 1024}


def _told(heading: str) -> Mapping[str, int]:
    """Return the first two columns of the table under a heading, each value as a number."""
    page = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([\d,]+) ?(\w*)[^|]*\|", section, re.MULTILINE)
    return {name.strip("`"): int(number.replace(",", "")) * _UNITS.get(unit, 1) for name, number, unit in rows}


def test_sizes_are_told_as_they_are() -> None:
    assert _told("Sizes") == SIZES


def test_numbers_are_told_as_they_are() -> None:
    assert _told("Numbers") == NUMBERS


def test_our_limits_keep_clear_of_temporal_s() -> None:
    temporal = _told("Temporal's")
    assert temporal["a payload"] > limits.MESSAGE_BYTES + limits.SPEC_BYTES + limits.OUTPUT_BYTES
    assert temporal["a gRPC message"] >= 2 * temporal["a payload"]
    assert temporal["signals of a run"] > URGENT_EVENTS
    assert temporal["updates of a run"] > URGENT_ASKS
    assert temporal["updates in flight"] > WAITING_ASKS > OPEN_ASKS
    assert temporal["an id"] > NAME_LIMIT + len("agent/")
