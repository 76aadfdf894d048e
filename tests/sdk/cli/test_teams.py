from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from aos.team_spec import TeamSpec
from command_line import Command

_TEAM = """\
name: {one}
---
name: {team}
members:
  - {{name: writer, agent: {{purpose: Write.}}}}
  - {{name: guest, address: {one}}}
strategy: {{type: swarm}}
termination: {{type: any, of: [{{type: max_messages, count: 4}}, {{type: stop_message}}]}}
"""


def test_a_team_lives_from_its_file_to_its_end(aos: Command, write: Callable[[str, str], str]) -> None:
    one, team = f"one-{uuid4().hex[:8]}", f"team-{uuid4().hex[:8]}"
    path = write("agents.yaml", _TEAM.format(one=one, team=team))
    assert aos("start", path).stdout == f"{one} is alive\n{team} is alive\n"
    assert [member["name"] for member in aos.json("team", "show", team)["members"]] == ["writer", "guest"]

    aos("team", "role", team, "guest", "Finds faults.")
    aos("team", "configure", team, "max_turns=7", "purpose=Tell of ships.")
    spec = TeamSpec.model_validate(aos.json("team", "spec", team))
    assert (spec.members[1].role, spec.max_turns, spec.purpose) == ("Finds faults.", 7, "Tell of ships.")

    aos("team", "stop", team)
    again = write("again.yaml", aos("team", "spec", team).stdout)
    assert aos("team", "start", again).stdout == f"team {team} is alive: writer, guest\n"
    assert TeamSpec.model_validate(aos.json("team", "spec", team)) == spec
    aos("team", "stop", team)


def test_a_team_that_there_is_not_is_told_with_the_way_out(aos: Command) -> None:
    missing = aos("team", "show", "nobody-here", code=1).stderr
    assert "team/nobody-here" in missing
    assert "aos team start" in missing


def test_dead_letters_of_a_team_are_replayed(aos: Command, write: Callable[[str, str], str]) -> None:
    name = f"team-{uuid4().hex[:8]}"
    team = f"team/{name}"
    path = write("small.yaml", f"name: {name}\nmembers: [{{name: writer, agent: {{}}}}]\nmailbox_limit: 1\n")
    aos("team", "start", path)
    aos("pause", team)
    for task in ("one", "two"):
        aos("send", team, task, "--id", task)
    assert aos.json("dead-letters", team)["letters"][0]["id"] == "two"
    aos("resume", team)
    assert aos("dead-letters", team, "two", "--replay").stdout.startswith("two is taken in again as ")
    aos("team", "stop", name)
