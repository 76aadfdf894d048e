"""The watcher."""

from __future__ import annotations

import json
from collections.abc import Callable

from pages.place import Place


def test_the_watcher_reads_what_is_put_into_its_inbox(example: Callable[[str], Place]) -> None:
    watcher = example("watcher")
    watcher.up("watcher:app", "--agents", "agents")

    watcher.write("inbox/tuesday.txt", "The mail boat brought three sacks from Orrin Vale.")

    watcher.until(["aos", "log", "watcher"], "tuesday.txt says")
    answer = watcher.run(["aos", "ask", "watcher", "What did the mail boat bring?"])
    assert "three sacks" in answer


def test_a_tick_with_nothing_new_calls_no_model(example: Callable[[str], Place]) -> None:
    watcher = example("watcher")
    watcher.up("watcher:app", "--agents", "agents")
    watcher.until(["aos", "log", "watcher"], "the inbox is empty")
    first = json.loads(watcher.run(["aos", "status", "watcher", "-o", "json"]))

    watcher.until(["temporal", "workflow", "show", "--workflow-id", "agent/watcher"], "TimerFired", times=4)

    later = json.loads(watcher.run(["aos", "status", "watcher", "-o", "json"]))
    assert later["turns"] == first["turns"] == 1
    assert later["spend"] == first["spend"]
