from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from aos.cli import connecting
from aos.cli.app import app
from command_line import Command, Target

COMMANDS = [
    *("up", "demo", "doctor", "start", "configure", "pause", "resume", "stop", "send", "ask", "event", "chat", "ps"),
    *("status", "inbox", "dead-letters", "spec", "log", "schema", "version", "team", "task", "topic", "memory"),
]


def test_the_commands_are_these(alone: Command) -> None:
    listed = alone("--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == COMMANDS
    assert not [line for line in listed if line.endswith("...")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_an_example(alone: Command, command: str) -> None:
    assert f"  aos {command}" in alone(command, "--help").stdout.partition("Example:\n")[2]


def _below(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each command with the end of its help; the classes of groups and commands are private to typer."""
    if inner := getattr(command, "commands", None):
        for name, one in inner.items():
            yield from _below(one, (*path, name))
    else:
        yield path, command.epilog or ""


def test_every_command_of_a_group_teaches_by_an_example_of_its_own() -> None:
    taught = dict(_below(typer.main.get_command(app)))
    assert ("team", "replace") in taught
    assert [path for path, epilog in taught.items() if f"  aos {' '.join(path)}" not in epilog] == []


def test_help_loads_neither_temporal_nor_pydantic_nor_rich() -> None:
    heavy = "{'temporalio', 'pydantic', 'rich', 'yaml'}"
    program = f"import sys, aos.cli.app; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(alone: Command) -> None:
    assert "Did you mean 'status'" in alone("statsu", code=2).stderr


def test_an_output_format_that_there_is_not_is_a_usage_error(alone: Command) -> None:
    assert "'xml'" in alone("status", "ada", "-o", "xml", code=2).stderr


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["inbox"],
        ["dead-letters"],
        ["spec"],
        ["log"],
        ["pause"],
        ["resume"],
        ["stop"],
        ["configure", "max_steps=2"],
        ["event", "order.paid"],
        ["send", "hello"],
        ["ask", "hello"],
    ],
    ids=lambda command: str(command[0]),
)
def test_an_agent_that_is_not_alive_is_one_clear_line(aos: Command, command: list[str]) -> None:
    verb, *rest = command
    stderr = aos(verb, "nobody", *rest, code=1).stderr
    assert stderr == "aos: no agent named 'nobody' is alive; `aos ps` lists those that are, `aos start` starts one\n"


def test_no_server_is_one_clear_line(unused_port: int) -> None:
    stderr = Command("--address", f"127.0.0.1:{unused_port}")("ps", code=1).stderr
    assert stderr.count("\n") == 1
    assert f"no Temporal server answers at 127.0.0.1:{unused_port}" in stderr
    assert "`aos up` starts one" in stderr


def test_a_namespace_that_there_is_not_is_one_clear_line(workers: Target) -> None:
    stderr = Command("--address", workers.address, "--namespace", "nowhere")("ps", code=1).stderr
    assert stderr.count("\n") == 1
    assert "nowhere" in stderr


def test_the_server_is_found_by_temporals_own_settings(
    alone: Command, workers: Target, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", workers.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", workers.namespace)
    assert alone.json("status", ada)["name"] == ada


def test_ctrl_c_during_an_ask_ends_it_quietly(aos: Command, ada: str) -> None:
    aos("pause", ada)
    with aos.process("ask", ada, "hello", "--id", "held") as process:
        aos.until("inbox", ada, holds=lambda inbox: inbox["count"] == 1)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=10)
    assert (process.returncode, stdout, stderr) == (130, "", "")
    assert aos.json("inbox", ada)["entries"][0]["id"] == "held"


def test_a_name_is_completed_from_the_server(workers: Target, aos: Command, ada: str) -> None:
    aos.until("ps", holds=lambda agents: ada in [agent["name"] for agent in agents])
    assert _completions(f"aos {' '.join(workers.options)} status {ada[:7]}") == [ada]


def test_teams_members_and_tasks_are_completed_from_the_server(
    workers: Target, aos: Command, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "_COMPLETION", 30.0)
    team = f"team-{ada}"
    aos("team", "start", team, "--member", f"writer={ada}", "--member", "guest:Helps.")
    aos("ask", f"team/{team}", "hello", "--id", "harbour-1")
    aos.until("team", "ls", holds=lambda teams: team in [one["name"] for one in teams])
    options = " ".join(workers.options)

    assert _completed(f"aos {options} team show {team[:9]}") == [team]
    assert _completed(f"aos {options} ask team/{team[:9]}") == [f"team/{team}"]
    assert _completed(f"aos {options} team remove {team} wr") == ["writer"]
    assert _completed(f"aos {options} team role {team} g") == ["guest"]
    assert _completed(f"aos {options} task show {team} harb") == ["harbour-1"]
    aos("team", "stop", team)


def _completed(line: str) -> list[str]:
    environment = {"_AOS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    return CliRunner().invoke(app, [], env=environment, prog_name="aos").stdout.split()


def test_without_a_server_nothing_is_completed_and_nothing_complained_of(unused_port: int) -> None:
    assert _completions(f"aos --address 127.0.0.1:{unused_port} status a") == []


def _completions(line: str) -> list[str]:
    environment = {"_AOS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    program = "from aos.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_schemas_are_listed_and_written(alone: Command) -> None:
    assert "agent           Everything that makes one agent" in alone("schema").stdout
    assert json.loads(alone("schema", "agent").stdout)["title"] == "AgentSpec"
    assert "there are: agent, changes," in alone("schema", "agnet", code=2).stderr


def test_the_version_is_told(alone: Command) -> None:
    assert alone("version").stdout.startswith("aos 0.")
    assert set(alone.json("version")) == {"aos", "temporalio", "python"}


def test_the_command_is_installed_as_aos() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("aos"), "version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("aos 0.")
