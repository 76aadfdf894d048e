from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import yaml

from aos.spec import AgentSpec
from aos.views import Farewell
from command_line import Command


def test_an_agent_is_started_from_options(aos: Command) -> None:
    name = f"ben-{uuid4().hex[:8]}"
    options = (
        "--purpose",
        "Count ships.",
        "--instructions",
        "Be brief.",
        "--model",
        "scripted:a",
        "--model",
        "scripted:b",
    )
    wanted = ("--tool", "current_time", "--permission", "documents.read")
    spec = AgentSpec.model_validate(aos.json("start", name, *options, *wanted))
    assert spec == AgentSpec(
        name=name,
        purpose="Count ships.",
        instructions="Be brief.",
        model=["scripted:a", "scripted:b"],
        tools=["current_time"],
        permissions=["documents.read"],
    )
    assert aos.json("spec", name) == spec.model_dump(mode="json")


def test_agents_are_started_from_a_file_and_each_is_told_of(aos: Command, write: Callable[[str, str], str]) -> None:
    one, two = f"one-{uuid4().hex[:8]}", f"two-{uuid4().hex[:8]}"
    path = write("agents.yaml", f"name: {one}\n---\nname: {two}\npurpose: Second.\n")
    assert aos("start", path).stdout == f"{one} is alive\n{two} is alive\n"
    assert aos.json("spec", two)["purpose"] == "Second."


def test_starting_an_agent_that_lives_is_refused(aos: Command, ada: str) -> None:
    assert f"an agent named '{ada}' is alive already" in aos("start", ada, code=1).stderr


def test_an_agent_that_no_worker_can_run_is_refused_with_the_reason(aos: Command) -> None:
    name = f"ben-{uuid4().hex[:8]}"
    result = aos("start", name, "--tool", "telescope", code=2)
    assert "there is no built-in tool 'telescope'" in result.stderr
    assert result.stdout == ""


def test_a_wrong_file_is_refused_with_its_line_and_starts_nothing(
    aos: Command, write: Callable[[str, str], str]
) -> None:
    name = f"ben-{uuid4().hex[:8]}"
    path = write("ben.yaml", f"name: {name}\n---\nname: other\npurpos: x\nmax_steps: 0\n")
    lines = aos("start", path, code=2).stderr.splitlines()
    assert lines[0] == f"aos: {path}:4:1: purpos: there is no such field; did you mean 'purpose'?"
    assert lines[1] == f"     {path}:5:12: max_steps: it should be greater than or equal to 1"
    assert name not in aos("ps").stdout


def test_options_beside_a_file_are_refused(aos: Command, write: Callable[[str, str], str]) -> None:
    assert "the options go with a name" in aos("start", write("a.yaml", "name: a"), "--tool", "x", code=2).stderr


def test_configure_reads_values_as_yaml_and_texts_as_they_are(aos: Command, ada: str) -> None:
    spec = aos.json("configure", ada, "purpose=Note: watch", "version=2", "max_steps=7", "tools=[current_time]")
    assert (spec["purpose"], spec["version"], spec["max_steps"]) == ("Note: watch", "2", 7)
    assert aos.json("spec", ada) == spec


def test_configure_takes_a_file(aos: Command, ada: str, write: Callable[[str, str], str]) -> None:
    path = write("changes.yaml", "triggers:\n  - {type: interval, every: 1h}\n")
    assert aos("configure", ada, "--file", path).stdout == f"{ada} has a new triggers\n"
    assert aos.json("spec", ada)["triggers"][0]["every"] == 3600


def test_configure_names_the_line_of_a_wrong_change(aos: Command, ada: str, write: Callable[[str, str], str]) -> None:
    path = write("changes.yaml", "triggers:\n  - type: interval\n    every: soon\n")
    assert f"{path}:3:12: triggers.0.every: a length of time" in aos("configure", ada, "--file", path, code=2).stderr


def test_configure_tells_what_the_workers_refuse(aos: Command, ada: str) -> None:
    assert "no built-in tool 'telescope'" in aos("configure", ada, "tools=[telescope]", code=2).stderr
    assert aos.json("spec", ada)["tools"] == ["current_time", "set_timer"]


def test_configure_without_a_change_says_what_can_change(aos: Command, ada: str) -> None:
    assert "give the fields to change, among" in aos("configure", ada, code=2).stderr


def test_a_paused_agent_lets_messages_wait_until_it_is_resumed(aos: Command, ada: str) -> None:
    assert aos.json("pause", ada) == {"name": ada, "paused": True}
    assert aos.json("status", ada)["condition"] == "paused"
    aos("send", ada, "hello", "--id", "first")
    assert aos.json("inbox", ada)["count"] == 1
    assert aos("resume", ada).stdout == f"{ada} goes on\n"
    assert aos("ask", ada, "hello", "--id", "first").stdout == "You said: hello\n"


def test_stop_ends_an_agent_and_says_what_was_left(aos: Command, ada: str) -> None:
    aos("pause", ada)
    aos("send", ada, "too late", "--id", "late")
    farewell = Farewell.model_validate(aos.json("stop", ada, "--now", "--reason", "The season is over."))
    assert (farewell.name, farewell.reason, farewell.undelivered) == (ada, "The season is over.", ["late"])
    assert f"no agent named '{ada}' is alive" in aos("send", ada, "hello", code=1).stderr


def test_stop_tells_a_person_what_became_of_the_agent(aos: Command, ada: str) -> None:
    aos("ask", ada, "hello")
    assert aos("stop", ada).stdout == f"{ada} is stopped: 1 handled, 0 failed, $0.00 spent\n"


def test_the_spec_that_is_shown_starts_the_same_agent_again(
    aos: Command, ada: str, write: Callable[[str, str], str]
) -> None:
    before = aos.json("spec", ada)
    shown = aos("spec", ada).stdout
    assert yaml.safe_load(shown) == {"name": ada, "purpose": "Watch the harbour."}
    aos("stop", ada)
    aos("start", write("again.yaml", shown))
    assert aos.json("spec", ada) == before
