"""New builds of the workers come and go while agents live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from aos.plugin import AosPlugin
from aos_workers.deployment import deployment_config, make_current
from aos_workflows.agent import PerpetualAgent
from faults.load import steady_load
from faults.site import Site, running_site
from faults.variants import Guarded, Unguarded

HISTORIES = sorted((Path(__file__).parents[1] / "replay" / "histories").glob("PerpetualAgent-*-life-*.json"))
NOT_THE_SAME = "WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR"


@pytest.fixture
def names(long_form: bool) -> list[str]:
    return [f"agent-{number}" for number in range(100 if long_form else 20)]


@pytest.fixture
def pause(long_form: bool) -> float:
    """Seconds between the messages to one agent."""
    return 3.0 if long_form else 0.6


async def replayed(path: Path, workflow: type[PerpetualAgent]) -> Exception | None:
    """Return why a build cannot replay a history, or None."""
    text = path.read_text(encoding="utf-8")
    started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    history = WorkflowHistory.from_json(started["workflowId"], text)
    replayer = Replayer(workflows=[workflow], plugins=[AosPlugin()])
    return (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_change_of_what_an_agent_does_in_which_order_is_refused_by_the_replay_of_recorded_histories(
    path: Path,
) -> None:
    works = '"think"' in path.read_text(encoding="utf-8")
    assert works or not path.stem.endswith("-1"), "the first run of the recorded life has work in it"
    refused = await replayed(path, Unguarded)
    assert isinstance(refused, NondeterminismError) == works, "a run that only waited has no order that was changed"
    assert "TMPRL1100" in str(refused) or not works, "the cause is named"
    assert await replayed(path, Guarded) is None, "the same change behind a patch is not refused"
    assert await replayed(path, PerpetualAgent) is None


@pytest.mark.timeout(300)
async def test_agents_move_to_a_new_build_and_back_without_a_failed_task_or_a_lost_message(
    tmp_path: Path, names: list[str], pause: float
) -> None:
    async with running_site(tmp_path) as site:
        await site.started(build_id="v1")
        await _start_agents(site, names)
        async with steady_load(site, names, pause) as load:
            await load.goes_on()
            assert await _builds(site, names) == {"v1"}
            await site.started(build_id="v2")
            await load.goes_on()
            await _until_on(site, names, "v2")
            await _roll_back(site, "v1")
            await load.goes_on()
            await _until_on(site, names, "v1")
        assert await _failures(site, names) == []


@pytest.mark.timeout(300)
async def test_agents_that_a_wrong_build_held_up_go_on_after_the_roll_back_without_a_lost_message(
    tmp_path: Path, names: list[str], pause: float
) -> None:
    async with running_site(tmp_path) as site:
        await site.started(build_id="v1")
        await _start_agents(site, names)
        async with steady_load(site, names, pause) as load:
            await load.goes_on()
            await site.started(build_id="v2", workflow=Unguarded.__name__)
            await asyncio.gather(*(_until_failed(site, name) for name in names))
            await _roll_back(site, "v1")
            await load.goes_on()
        failures = await _failures(site, names)
        assert all(failure.startswith(NOT_THE_SAME) for failure in failures)
        assert await _builds(site, names) == {"v1"}


@pytest.mark.timeout(300)
async def test_a_build_with_a_patch_takes_over_but_agents_born_on_it_wait_through_a_roll_back_until_it_returns(
    tmp_path: Path, names: list[str], pause: float
) -> None:
    names, born = names[::4], [f"{name}-born-later" for name in names[::4]]
    async with running_site(tmp_path) as site:
        await site.started(build_id="v1")
        await _start_agents(site, names)
        async with steady_load(site, names, pause) as load:
            await load.goes_on()
            await site.started(build_id="v2", workflow=Guarded.__name__)
            await _start_agents(site, born)
            async with steady_load(site, born, pause) as younger:
                await asyncio.gather(load.goes_on(), younger.goes_on())
                assert await _failures(site, [*names, *born]) == []
                await _roll_back(site, "v1")
                await load.goes_on()
                await asyncio.gather(*(_until_failed(site, name) for name in born))
                await _roll_back(site, "v2")
                await asyncio.gather(load.goes_on(), younger.goes_on())
        assert await _failures(site, names) == [], "agents whose history has no patch may go either way"


async def _start_agents(site: Site, names: Sequence[str]) -> None:
    await asyncio.gather(*(site.client.start({"name": name, "model": "told:plain"}) for name in names))


async def _roll_back(site: Site, build: str) -> None:
    """Make a build the current one whose workers are up."""
    await make_current(site.client.temporal, deployment_config(build))


async def _builds(site: Site, names: Sequence[str]) -> set[str]:
    """Return the builds that did the last workflow tasks of agents."""
    described = await asyncio.gather(*(site.engine.handle(name).describe() for name in names))
    infos = [each.raw_description.workflow_execution_info.versioning_info for each in described]
    return {info.deployment_version.build_id for info in infos}


async def _until_on(site: Site, names: Sequence[str], build: str) -> None:
    await site.engine.until(lambda: _builds(site, names), lambda builds: builds == {build})


async def _failures(site: Site, names: Sequence[str]) -> list[str]:
    found = await asyncio.gather(*(site.engine.failed_tasks(name) for name in names))
    return [failure for failures in found for failure in failures]


async def _until_failed(site: Site, name: str) -> None:
    """Return once a workflow task of an agent has failed."""

    async def failed() -> bool:
        events = await site.engine.events(name)
        return any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for event in events)

    await site.engine.until(failed, bool)
