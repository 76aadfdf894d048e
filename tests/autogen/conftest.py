"""AutoGen, run once for all cases in an environment of its own."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from autogen.cases import CASES, TASK
from engine.theatre import Theatre, open_theatre

ROOT = Path(__file__).parents[2]
_PEER = Path(__file__).parent / "peer.py"
_INSTALL_SECONDS = 240.0
_RUN_SECONDS = 90.0

Outcome = dict[str, Any]


@pytest.fixture(scope="session")
def autogen(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str, worker_id: str) -> dict[str, Outcome]:
    """What every case came to in AutoGen."""
    base = tmp_path_factory.getbasetemp()
    # Workers of one run of the tests share what the first of them has found.
    kept = (base if worker_id == "master" else base.parent) / f"autogen-{testrun_uid}.json"
    with kept.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        written = file.read()
        if not written:
            written = _run_peer()
            file.write(written)
    return json.loads(written)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Theatre]:
    """A worker that the tests of this folder share."""
    async with open_theatre(temporal.client, tmp_path_factory.mktemp("theatre")) as theatre:
        yield theatre


@pytest_asyncio.fixture(loop_scope="session")
async def theatre(house: Theatre) -> AsyncGenerator[Theatre]:
    """The worker; the teams that a test starts end with it."""
    yield house
    await house.end_all()


def _run_peer() -> str:
    uv = shutil.which("uv") or shutil.which("uv", path=ROOT / ".uv/bin")
    assert uv, "uv is neither on PATH nor in .uv/bin; `make test` gets it"
    _uv([uv, "sync", "--quiet", "--script", str(_PEER)], _INSTALL_SECONDS, "AutoGen cannot be installed")
    given = json.dumps({"task": TASK, "cases": CASES})
    return _uv([uv, "run", "--quiet", "--script", str(_PEER)], _RUN_SECONDS, "AutoGen ended early", given)


def _uv(command: list[str], seconds: float, how: str, given: str = "") -> str:
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{how}: it took more than {seconds:g} s")
    if done.returncode:
        pytest.fail(f"{how} ({done.returncode}): {done.stderr.strip()[-2000:]}")
    return done.stdout
