"""Teams as the benchmark runs them."""

from __future__ import annotations

import pytest
from bench.cases.teams import measure_block
from bench.measure import Sample
from bench.place import fresh_place
from bench.teams import running_teams

TURN_EVENTS = 10
"""Nine for a turn, and what another workflow task now and then takes."""

RESUMED_EVENTS = 12
"""For being told to begin, and to stop."""


@pytest.mark.timeout(240)
async def test_a_turn_of_a_team_writes_what_bare_workflows_write_and_all_answer_a_broadcast() -> None:
    async with fresh_place() as place:
        for system in ("floor", "aos"):
            async with running_teams(place, system) as teams:
                team = await teams.in_turn(3)
                await team.take_turns(2)
                sample = Sample("teams", system, 2)
                await measure_block(teams, team, sample, 5)
                assert sample.count >= 5
                assert len(sample.latencies_ms) == sample.count - 1
                assert min(sample.latencies_ms) > 0
                assert sample.facts["events_per_turn"] * sample.count <= TURN_EVENTS * sample.count + RESUMED_EVENTS
                assert await (await teams.at_once(4)).broadcast() == 4
