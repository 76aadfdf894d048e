"""What `aos doctor` finds out about the workers of a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client

from aos_workers.deployment import DEPLOYMENT
from aos_workers.serving import examine_serving, judge_build, judge_memory
from aos_workers.settings import Settings
from engine.engine import running_engine
from engine.server import running_server


async def make_none_current(client: Client) -> None:
    """Take the place of the current build away, as an operator can."""
    request = SetWorkerDeploymentCurrentVersionRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    await client.workflow_service.set_worker_deployment_current_version(request, retry=True)


async def test_workers_are_told_with_their_build_and_room_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    async with running_server(tmp_path) as environment:
        client = environment.client
        (alone,) = await examine_serving(client, 2000)
        assert (alone.level, alone.what) == ("error", "no worker serves the task queue 'aos'")
        settings = Settings(home=tmp_path, build_id="one")
        async with running_engine(client, tmp_path, settings=settings) as engine:
            names = [await engine.start() for _ in range(3)]
            await engine.client.ask(names[-1], "Are you there?")
            found = await engine.until(lambda: examine_serving(client, 2), lambda found: "3 agents" in found[-1].what)
            assert [finding.level for finding in found] == ["ok", "ok", "warning"]
            assert "AOS_AGENTS_CACHED=3" in found[-1].remedy
            assert [finding.level for finding in await examine_serving(client, 3)] == ["ok", "ok", "ok"]
            await make_none_current(client)
            (_, build, _) = await engine.until(
                lambda: examine_serving(client, 3), lambda found: found[1].level == "error"
            )
            assert "no build of 'aos' is the current one" in build.what
            assert "set-current-version --deployment-name aos --build-id one" in build.remedy


@pytest.mark.parametrize(
    ("current", "builds", "level"),
    [
        ("1", ["1"], "ok"),
        ("1", ["2", "1"], "ok"),
        ("1", ["2"], "error"),
        ("", ["2"], "error"),
    ],
)
def test_a_current_build_that_no_worker_runs_is_an_error(current: str, builds: list[str], level: str) -> None:
    (finding,) = judge_build(current, builds)
    assert finding.level == level
    assert ("--build-id 2" in finding.remedy) == (level == "error")


def test_workers_that_run_without_versioning_have_no_build() -> None:
    assert judge_build("", []) == []


@pytest.mark.parametrize(
    ("agents", "workers", "cached", "wanted"),
    [(2000, 1, 2000, ""), (2001, 1, 2000, "AOS_AGENTS_CACHED=2001"), (4001, 2, 2000, "AOS_AGENTS_CACHED=2001")],
)
def test_workers_with_room_for_fewer_agents_than_live_are_told_how_much_they_need(
    agents: int, workers: int, cached: int, wanted: str
) -> None:
    (finding,) = judge_memory(agents, workers, cached)
    assert finding.level == ("warning" if wanted else "ok")
    assert wanted in finding.remedy
