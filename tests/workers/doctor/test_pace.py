"""What `aos doctor` finds out about a server by measuring it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from aos_workers.finding import Finding
from aos_workers.pace import examine_pace, judge_pace
from aos_workers.probe import Measured, measure
from aos_workers.temporal.server import DYNAMIC_CONFIG
from boundaries.server import a_server

RATE, EAGER, TIMERS = DYNAMIC_CONFIG
WELL = Measured(wait=6, rate=90, tasks=1, late=8, write=3)
SLOW = replace(WELL, rate=20, wait=45)


def remedies(findings: list[Finding]) -> str:
    return " ".join(finding.remedy for finding in findings if finding.level == "warning")


async def test_a_server_as_aos_up_starts_it_lacks_nothing_and_is_left_as_it_was(tmp_path: Path) -> None:
    async with a_server(tmp_path, DYNAMIC_CONFIG) as client:
        await measure(client)  # the first seconds of a server are slower than it is
        found = remedies(await examine_pace(client))
        async with asyncio.timeout(30):
            while (await client.count_workflows()).count:
                await asyncio.sleep(0.05)  # it deletes a moment after it was told to
    assert not any(name in found for name in DYNAMIC_CONFIG)


async def test_a_server_without_our_settings_is_told_which_it_lacks(tmp_path: Path) -> None:
    # A fifth of the default rate: a busy machine, on which a step takes as long as the default holds it up, would
    # not show the default itself.
    async with a_server(tmp_path, {RATE: "4"}) as client:
        await measure(client)  # uses up the burst that a server grants after its start
        found = remedies(await examine_pace(client))
    for name, value in DYNAMIC_CONFIG.items():
        assert f"--dynamic-config-value '{name}={value}'" in found


@pytest.mark.parametrize(
    ("moments", "level"),
    [([WELL], "ok"), ([SLOW, WELL], "ok"), ([SLOW, replace(SLOW, rate=24)], "warning")],
)
async def test_only_what_is_slow_twice_is_named(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, moments: list[Measured], level: str
) -> None:
    given = iter(moments)

    async def measured(client: Client) -> Measured:
        return next(given)

    monkeypatch.setattr("aos_workers.pace.measure", measured)
    (finding,) = await examine_pace(temporal.client)
    assert finding.level == level
    assert not list(given)


@pytest.mark.parametrize(
    ("measured", "named"),
    [
        (SLOW, [RATE]),
        (replace(SLOW, tasks=2), [RATE, EAGER]),
        (replace(SLOW, rate=7, wait=24), []),
        (replace(SLOW, rate=8, wait=109, tasks=2), [RATE, EAGER]),
        (replace(SLOW, wait=15), []),
        (replace(SLOW, wait=30, tasks=2), [EAGER]),
        (replace(SLOW, rate=40), []),
        (replace(WELL, late=900), [TIMERS]),
        (replace(WELL, late=120), []),
        (replace(WELL, write=40), ["journal_mode=WAL --sqlite-pragma synchronous=FULL"]),
        (WELL, []),
    ],
)
def test_what_is_slow_is_named_with_the_setting_that_mends_it(measured: Measured, named: list[str]) -> None:
    findings = judge_pace(measured, "sqlite")
    assert [finding.level for finding in findings] == (["warning"] * len(named) or ["ok"])
    assert all(name in finding.remedy for name, finding in zip(named, findings, strict=False))


def test_a_cluster_is_sent_to_its_dynamic_configuration() -> None:
    (finding,) = judge_pace(replace(WELL, late=900), "postgres12")
    settings = json.loads(DYNAMIC_CONFIG[TIMERS])
    assert finding.remedy.startswith(f'set {TIMERS} to "{settings}"')
    assert "deploy/temporal/dynamicconfig.yaml" in finding.remedy
    (slow,) = judge_pace(replace(WELL, write=40), "postgres12")
    assert "sqlite" not in slow.remedy
