from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aos_workers.demo
import aos_workers.up
from command_line import Command, Target


def test_the_doctor_finds_a_server_with_workers(
    alone: Command, workers: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", workers.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", workers.namespace)
    findings = alone.json("doctor", "--home", str(tmp_path))
    assert {finding["level"] for finding in findings} <= {"ok", "warning"}
    assert "✓ Python" in alone("doctor", "--home", str(tmp_path)).stdout


def test_the_doctor_names_what_is_wrong_and_the_remedy(
    alone: Command, unused_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{unused_port}")
    shown = alone("doctor", "--home", str(tmp_path), code=1).stdout
    assert f"✗ no Temporal server answers at 127.0.0.1:{unused_port}" in shown
    assert "  → " in shown


def test_up_and_demo_hand_on_what_was_typed(alone: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def demo(*, report: Callable[[str], None], **options: object) -> int:
        given.update(options)
        report("[bold] is no markup")
        return 3

    def up(*, report: Callable[[str], None], **options: object) -> None:
        given.update(options)

    monkeypatch.setattr(aos_workers.demo, "demo", demo)
    result = alone("demo", "a.md", "b.md", "--home", "h", "--port", "7000", "--ui-port", "7001", "--offline", code=3)
    assert result.stdout == "[bold] is no markup\n"
    wanted = {"home": Path("h"), "port": 7000, "ui_port": 7001, "offline": True}
    assert given == {**wanted, "documents": [Path("a.md"), Path("b.md")]}

    given.clear()
    monkeypatch.setattr(aos_workers.up, "up", up)
    alone(
        "up",
        "shop:app",
        "--agents",
        "ada.yaml",
        "--agents",
        "more",
        "--home",
        "h",
        "--port",
        "7000",
        "--ui-port",
        "7001",
    )
    assert given == {**wanted, "offline": False, "app": "shop:app", "agents": [Path("ada.yaml"), Path("more")]}


@pytest.mark.parametrize("command", ["up", "demo", "doctor"])
def test_what_runs_a_server_itself_takes_no_address(command: str) -> None:
    assert "this one takes TEMPORAL_ADDRESS" in Command("--address", "here:1")(command, code=2).stderr
