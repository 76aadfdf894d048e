"""The compose file says what it should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

import pytest
import yaml
from pydantic import AliasChoices

from aos_workers.settings import Settings
from aos_workers.temporal.server import DYNAMIC_CONFIG

READ_BY_LIBRARIES = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
"""Variables that Temporal's and Amazon's own libraries read."""


class Service(Protocol):
    image: str
    environment: dict[str, str]
    ports: list[str]


class Compose(Protocol):
    services: dict[str, Service]


def _has_compose() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0


@pytest.mark.skipif(not _has_compose(), reason="this machine has no docker client with compose")
def test_docker_compose_accepts_the_file(root: Path) -> None:
    checked = subprocess.run(["docker", "compose", "config", "--quiet"], cwd=root, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stderr


def test_every_published_port_is_on_this_machine_only(compose: Compose) -> None:
    published = [port for service in compose.services.values() for port in service.ports]

    assert len(published) == 2
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_image_is_pinned(compose: Compose) -> None:
    for name, service in compose.services.items():
        assert re.search(r":\d+\.\d+", service.image), f"{name} runs {service.image}"


def test_the_server_in_production_is_the_version_that_the_dev_server_holds(compose: Compose, root: Path) -> None:
    gomod = (root / "workers/aos_workers/temporal/gomod/go.mod").read_text()
    version = re.search(r"go\.temporal\.io/server v(\S+)", gomod)

    assert version is not None
    assert compose.services["temporal"].image == f"temporalio/server:{version[1]}"
    assert compose.services["schema"].image.startswith(f"temporalio/admin-tools:{version[1]}-")


def test_production_is_tuned_like_the_dev_server(root: Path) -> None:
    settings = yaml.safe_load((root / "deploy/temporal/dynamicconfig.yaml").read_text())

    assert {name: [rule["value"] for rule in rules] for name, rules in settings.items()} == {
        name: [json.loads(value)] for name, value in DYNAMIC_CONFIG.items()
    }


def test_the_worker_is_given_settings_that_exist(compose: Compose) -> None:
    known: set[str] = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias or f"AOS_{name.upper()}"
        known |= {str(choice) for choice in alias.choices} if isinstance(alias, AliasChoices) else {str(alias)}

    assert set(compose.services["worker"].environment) <= known | READ_BY_LIBRARIES
