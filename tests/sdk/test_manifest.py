from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aos.errors import InvalidInput
from aos.manifest import load_agent, load_agents, load_changes, read_setting

Write = Callable[[str], str]

GOOD = """\
# yaml-language-server: $schema=agent.json
name: ada
purpose: Watch the harbour.
instructions: |
  Look twice.
  Then speak.
model: offline
triggers:
  - type: interval
    every: 15m
    gate: {tool: tides, arguments: {port: no}}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes `ada.yaml` into the current directory and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> str:
        Path("ada.yaml").write_text(text, encoding="utf-8")
        return "ada.yaml"

    return write


def problems(path: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load_agents(path)
    first, *others = caught.value.problems
    return [f"{caught.value.what}: {first}", *others]


def test_a_file_is_an_agent(write: Write) -> None:
    spec = load_agent(write(GOOD))
    assert (spec.name, spec.model, spec.instructions) == ("ada", ["offline"], "Look twice.\nThen speak.\n")
    assert spec.triggers[0].model_dump()["every"] == 900
    assert spec.triggers[0].model_dump()["gate"]["arguments"] == {"port": "no"}


def test_every_wrong_field_is_named_with_its_line_column_and_remedy(write: Write) -> None:
    text = "name: ada\npurpos: x\nversion: 1.0\ntriggers:\n  - type: interval\n    evry: 1h\n  - type: crn\n"
    assert problems(write(text)) == [
        "ada.yaml:2:1: purpos: there is no such field; did you mean 'purpose'?",
        "ada.yaml:3:10: version: a text is needed here; put it in quotes",
        "ada.yaml:5:5: triggers.0.every: this field is required",
        "ada.yaml:6:5: triggers.0.evry: there is no such field; did you mean 'every'?",
        "ada.yaml:7:11: triggers.1.type: 'crn' is none of 'interval', 'cron', 'event'; did you mean 'cron'?",
    ]


def test_a_value_that_does_not_fit_is_placed_where_it_stands(write: Write) -> None:
    text = "name: ada\ntriggers:\n- {type: interval, every: soon}\n- type: cron\n  cron: never\n"
    first, second = problems(write(text))
    assert first.startswith("ada.yaml:3:27: triggers.0.every: a length of time looks like")
    assert second.startswith("ada.yaml:5:9: triggers.1.cron: 'never' is no cron expression")


def test_tools_of_one_name_are_placed_at_the_tools(write: Write) -> None:
    text = "name: ada\ntools:\n  - shop/find\n  - find\n"
    assert problems(write(text)) == ["ada.yaml:3:3: tools: find would have the same name for the model"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: ada\nname: ben\n", "ada.yaml:2:1: name: this field stands here twice, first on line 1"),
        ("name: ada\npurpose: [x\n", "ada.yaml:3:1: this is not valid YAML"),
        ("name: ada\n\tpurpose: x\n", "ada.yaml:2:1: this is not valid YAML"),
        ("name: ada\npurpose: \x07\n", "ada.yaml:2:10: YAML does not allow the character U+0007"),
        ("name: !!python/name:os.system x\n", "ada.yaml:1:7: the tag"),
        ("name: ada\n1: x\n", "ada.yaml:2:1: the name of a field is a text; put it in quotes"),
        ("name: ada\noutput_schema: &a {b: *a}\n", "ada.yaml:2:16: an anchor cannot hold an alias of itself"),
        ("- ada\n", "ada.yaml:1:1: an object is needed here, with the fields name, purpose"),
        ("# nothing\n", "ada.yaml: there is no agent in it; `name: ada` is enough for one"),
        ("name: ada\n---\nname: ada\n", "ada.yaml:3:7: name: 'ada' is taken by the agent at ada.yaml:1:7"),
        ("x: " + "y" * 300_000, "ada.yaml: it has 300003 bytes, the limit is 262144"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(write: Write, text: str, problem: str) -> None:
    assert problems(write(text))[0].startswith(problem)


def test_a_file_that_there_is_not_is_named(write: Write) -> None:
    assert problems("ben.yaml") == ["ben.yaml: it cannot be read: No such file or directory"]


def test_a_file_that_is_no_text_is_refused(write: Write) -> None:
    Path("ada.yaml").write_bytes(b"name: \xff")
    assert problems("ada.yaml") == ["ada.yaml: it is not UTF-8 text"]


def test_a_folder_is_all_its_agents(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("name: ben\n---\nname: cleo\n")
    (tmp_path / "a.yml").write_text("name: ada\n")
    (tmp_path / "notes.txt").write_text("name: [")
    assert [spec.name for spec in load_agents(tmp_path)] == ["ada", "ben", "cleo"]


def test_one_agent_was_wanted(write: Write) -> None:
    with pytest.raises(InvalidInput, match="it holds 2 agents: ada, ben"):
        load_agent(write("name: ada\n---\nname: ben\n"))


def test_changes_come_from_a_file_without_a_name(write: Write) -> None:
    assert load_changes(write("max_steps: 3\npurpose: Rest.\n")) == {"max_steps": 3, "purpose": "Rest."}
    with pytest.raises(InvalidInput, match=r"ada.yaml:1:1: name: an agent keeps its name for life"):
        load_changes(write("name: ben\n"))
    with pytest.raises(InvalidInput, match=r"ada.yaml:2:12: max_steps: it should be greater than or equal to 1"):
        load_changes(write("purpose: x\nmax_steps: 0\n"))


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("max_steps=3", ("max_steps", 3)),
        ("tools=[current_time, shop/find]", ("tools", ["current_time", "shop/find"])),
        ("purpose=Note: this = that", ("purpose", "Note: this = that")),
        ("version=2", ("version", "2")),
        ("temperature=", ("temperature", None)),
    ],
)
def test_a_setting_is_a_field_and_a_value(text: str, setting: tuple[str, object]) -> None:
    assert read_setting(text) == setting


@pytest.mark.parametrize("text", ["max_steps", "=3", "tools=[a"])
def test_a_setting_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_setting(text)
