"""The compose file, and the binaries that its images hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from aos_workers.settings import cache_folder

ROOT = Path(__file__).parents[2]


class Service(BaseModel):
    """What the tests read of one service."""

    image: str
    environment: dict[str, str] = {}
    ports: list[str] = []
    entrypoint: list[str] = []


class Compose(BaseModel):
    """What the tests read of the compose file."""

    services: dict[str, Service]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def compose() -> Compose:
    return Compose.model_validate(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


@pytest.fixture(scope="session")
def cache() -> Path:
    return cache_folder()
