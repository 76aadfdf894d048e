"""A team's spec as JSON: it is carried along at every rollover, and read again."""

from __future__ import annotations

from typing import Any

import pytest

from aos.limits import SPEC_BYTES
from aos.reading import check_size
from aos.strategy import MOST_MEMBERS
from aos.team_spec import TeamSpec

INNER: dict[str, Any] = {
    "name": "inner",
    "members": [{"name": "x", "agent": {"name": "inner.x", "purpose": "Look."}}, {"name": "y", "address": "ada"}],
    "strategy": {"type": "broadcast", "merge": "member", "merger": "x"},
    "termination": {"type": "max_messages", "count": 3},
}


@pytest.mark.parametrize(
    "agent",
    [
        {"name": "a"},
        {"name": "a", "model": ["offline"], "tools": [], "patience": "5m", "batch": 3, "permissions": ["p"]},
        {"name": "a", "triggers": [{"type": "interval", "every": "1h", "gate": {"tool": "look"}}]},
        {"name": "a", "triggers": [{"type": "cron", "cron": "0 9 * * *"}, {"type": "event", "event": "ship.*"}]},
        {
            "name": "a",
            "output_schema": {"type": "object"},
            "blocks": [{"scope": "org", "key": "k"}],
            "temperature": 0.0,
        },
    ],
)
def test_a_spec_that_was_written_is_read_as_it_was(agent: dict[str, Any]) -> None:
    members = [{"name": "one", "agent": agent, "role": "first"}, {"name": "two", "team": INNER}]
    spec = TeamSpec.model_validate({"name": "outer", "members": members})
    assert TeamSpec.model_validate_json(spec.model_dump_json()) == spec
    assert TeamSpec.model_validate(spec.model_dump(mode="json")) == spec


def test_what_has_its_default_in_the_spec_of_a_member_is_not_carried_along() -> None:
    spec = TeamSpec.model_validate(
        {"name": "t", "members": [{"name": "a", "agent": {"name": "t.a", "purpose": "Look."}}]}
    )
    assert spec.model_dump(mode="json")["members"][0]["agent"] == {"name": "t.a", "purpose": "Look."}


def test_a_team_may_have_as_many_agents_as_members_are_allowed() -> None:
    agents = [
        {"name": f"member-{number}", "agent": {"name": f"crowd.member-{number}"}} for number in range(MOST_MEMBERS)
    ]
    check_size("team", TeamSpec.model_validate({"name": "crowd", "members": agents}), SPEC_BYTES)
