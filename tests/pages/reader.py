"""Following a page: each block is run, written, or read as what it says it is."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validate

from aos.app import ENTRY_POINTS
from aos.manifest import load_agents, load_team
from aos.schemas import published
from aos.spec import AgentSpec
from aos_workers.settings import Settings
from pages.blocks import Block, shows
from pages.place import ROOT, Place

NEEDS = frozenset({"docker", "key", "second-build"})
"""What a block may say that it needs, in place of being run."""


class Reader:
    """Follows one page in a place. A block that it cannot make sense of fails."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._written = ""

    def follow(self, block: Block) -> None:
        """Do what a reader would do with the block."""
        written, self._written = self._written, ""
        match block.language:
            case "sh":
                self._written = self._shell(block)
            case "text" if "paths" in block.flags:
                _check_paths(block)
            case "text":
                assert written, f"{block}: it shows output, and nothing before it has written any"
                assert shows(block.text, written), f"{block}: what was written is\n{written}"
            case "python" if block.title:
                self._write(block)
            case "python":
                alone = "connect" not in block.text
                self._written = self._place.run(["python", "-W", "error", "-c", block.text], alone=alone)
            case "yaml":
                self._agents(block)
            case "json":
                self._json(block)
            case "toml":
                _check_toml(block)
            case "mermaid":
                assert re.match(r"(flowchart|sequenceDiagram|stateDiagram-v2)\b", block.text), f"{block}: no diagram"
            case other:
                raise AssertionError(f"{block}: nobody knows how to follow a block of {other!r}")

    def _shell(self, block: Block) -> str:
        written = ""
        commands = ""
        for line in block.text.splitlines():
            up = line.startswith("aos up")
            if (up or line.startswith("make ")) and commands.strip():
                written += self._commands(block, commands)
                commands = ""
            if up:
                written += self._place.up(*shlex.split(line, comments=True)[2:])
            elif line.startswith("make "):
                _check_target(block, line)
            else:
                commands += f"{line}\n"
        return written + (self._commands(block, commands) if commands.strip() else "")

    def _commands(self, block: Block, commands: str) -> str:
        stdin = block.options.get("stdin", "").replace("\\n", "\n")
        code = int(block.options.get("exit", "0"))
        return self._place.run(["bash", "-euo", "pipefail", "-c", commands], stdin=stdin, code=code)

    def _write(self, block: Block) -> Path:
        return self._place.write(block.title, block.text)

    def _agents(self, block: Block) -> None:
        if block.title and "members" in yaml.safe_load(block.text):
            load_team(self._write(block))
        elif block.title:
            load_agents(self._write(block))
        else:
            AgentSpec.model_validate({"name": "any", **yaml.safe_load(block.text)})

    def _json(self, block: Block) -> None:
        given = json.loads(block.text)
        if block.title:
            self._write(block)
        elif block.flags == ("schema",):
            Draft202012Validator.check_schema(given)
        else:
            (name,) = block.flags
            validate(given, published()[name], cls=Draft202012Validator)


def _check_target(block: Block, line: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    wanted = [word for word in shlex.split(line, comments=True)[1:] if "=" not in word]
    assert wanted, f"{block}: {line} names no target"
    assert set(wanted) <= set(targets), f"{block}: the Makefile has no target of {wanted}"


def _check_paths(block: Block) -> None:
    for line in block.text.splitlines():
        path = line.split()[0]
        assert (ROOT / path).exists(), f"{block}: there is no {path}"


def _check_toml(block: Block) -> None:
    data: dict[str, Any] = tomllib.loads(block.text)
    match block.flags:
        case ("settings",):
            Settings.model_validate(data)
        case ("pyproject",):
            assert ENTRY_POINTS in data["project"]["entry-points"], f"{block}: no application is named"
        case other:
            raise AssertionError(f"{block}: what is it? {other}")
