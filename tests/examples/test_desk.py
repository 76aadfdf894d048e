"""The desk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from aos.manifest import load_team
from aos_workers.desk import DESK
from pages.place import ROOT, Place

TASK = "Why did the Corvina strike the reef? Who was the leader of the expedition?"


def test_the_team_of_the_demo_is_the_one_in_the_examples() -> None:
    assert load_team(ROOT / "examples/desk/desk.yaml") == DESK


@pytest.mark.timeout(120)
def test_the_desk_answers_from_its_documents_and_checks_what_it_answers(example: Callable[[str], Place]) -> None:
    desk = example("desk")
    shutil.copytree(ROOT / "examples" / "documents", desk.folder.parent / "documents")
    desk.up("--agents", "desk.yaml")

    answer = desk.run(["aos", "ask", "team/desk", TASK, "--id", "corvina"])

    assert answer.startswith("APPROVED: ")
    assert "lost her rudder chain" in " ".join(answer.split())
    assert "Ingrid Solheim" in answer
    task = json.loads(desk.run(["aos", "task", "show", "desk", "corvina", "-o", "json"]))
    said = {line["source"]: line["text"] for line in task["lines"]}
    assert list(said) == ["user", "researcher", "writer", "critic"]
    assert "(from lighthouse-log.md)" in said["researcher"]
    assert "quotes from lighthouse-log.md and expedition-report.md" in said["writer"]
    assert said["writer"] in said["critic"]
    assert task["task"]["status"] == "done"
