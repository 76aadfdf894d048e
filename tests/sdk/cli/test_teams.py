from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest

from aos.client import AosClient
from aos.message import Message
from aos.team_spec import TeamSpec
from command_line import Command, Target

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


def test_a_team_is_started_without_a_file(aos: Command, ada: str, write: Callable[[str, str], str]) -> None:
    team, path = f"team-{uuid4().hex[:8]}", write("artist.yaml", f"name: artist-{ada}\npurpose: Draw.\n")
    members = ("--member", "writer:Writes: the notice.", "--member", f"guest={ada}", "--member", f"artist={path}")
    assert aos("team", "start", team, *members, "--strategy", "swarm", "--purpose", "Tell of ships.").stdout == (
        f"team {team} is alive: writer, guest, artist\n"
    )
    spec = TeamSpec.model_validate(aos.json("team", "spec", team))
    assert [member.where for member in spec.members] == [
        f"agent/{team}.writer",
        f"agent/{ada}",
        f"agent/artist-{ada}",
    ]
    assert (spec.members[0].role, spec.strategy.type, spec.purpose) == (
        "Writes: the notice.",
        "swarm",
        "Tell of ships.",
    )
    aos("team", "stop", team)


def test_members_are_added_replaced_and_removed_as_they_are_typed(aos: Command, ada: str) -> None:
    team = f"team-{uuid4().hex[:8]}"
    aos("team", "start", team, "--member", "writer:Writes.", "--strategy", "{type: broadcast, merge: vote}")
    assert aos("team", "add", team, "critic:Finds faults.").stdout == f"{team} has 2 members now\n"
    assert aos("team", "replace", f"team/{team}", f"critic={ada}").stdout == f"critic of {team} is agent/{ada} now\n"
    (_, critic) = aos.json("team", "spec", team)["members"]
    assert (critic["address"], critic["role"]) == (f"agent/{ada}", "Finds faults.")
    aos("team", "remove", team, "writer")
    assert "no member 'writer'" in aos("team", "replace", team, f"writer={ada}", code=2).stderr
    assert aos.json("status", ada)["name"] == ada
    aos("team", "stop", team)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["news"], "it needs somebody in it: --member NAME=ADDRESS, NAME=FILE or NAME:ROLE, or a YAML file"),
        (["news", "--member", "zoe"], "'zoe': write NAME=ADDRESS, NAME=FILE or NAME:ROLE"),
        (["news", "--member", "a=no/such.yaml"], "no/such.yaml: it cannot be read"),
        (["news", "--member", "a=b", "--member", "a=c"], "there are two called a"),
        (["news", "--member", "a=b", "--strategy", "robin"], "strategy"),
        (["news", "--member", "a=b", "--strategy", "{type: [}"], "the value is not valid YAML"),
        (["news.yaml", "--purpose", "x"], "a file says all about its team; the options go with a name"),
    ],
    ids=["nobody", "no form", "no file", "two of a name", "no strategy", "no YAML", "both"],
)
def test_a_team_that_cannot_be_is_refused_with_the_way_out(alone: Command, arguments: list[str], problem: str) -> None:
    assert problem in alone("team", "start", *arguments, code=2).stderr


def test_a_team_with_a_tool_that_nobody_serves_does_not_come_alive(
    aos: Command, write: Callable[[str, str], str]
) -> None:
    team = f"team-{uuid4().hex[:8]}"
    path = write(
        "t.yaml",
        f"name: {team}\nmembers: [{{name: a, agent: {{name: a}}}}]\nstrategy: {{type: selector, function: chooses}}\n",
    )
    stderr = aos("team", "start", path, code=2).stderr
    assert "serves no tool 'chooses'" in stderr


def test_a_team_is_told_from_an_agent(aos: Command) -> None:
    stderr = aos("status", "team/news", code=2).stderr
    assert stderr == "aos: team/news: this is for agents; `aos team show news` shows the team\n"
    stderr = aos("pause", "topic/sea", code=2).stderr
    assert stderr == "aos: topic/sea: this is for agents; `aos topic show sea` shows the topic\n"


def test_a_topic_is_not_asked(aos: Command) -> None:
    stderr = aos("ask", "topic/sea", "Anybody?", code=2).stderr
    assert stderr == "aos: topic/sea: a topic does not answer; `aos send topic/sea` tells all its subscribers\n"


def test_a_task_is_listed_shown_awaited_and_ended(aos: Command) -> None:
    team = f"team-{uuid4().hex[:8]}"
    aos("team", "start", team, "--member", "writer:Writes.")
    assert aos("task", "ls", team).stdout == f"{team} has no tasks; give a team one: aos ask team/{team}\n"
    assert aos("ask", f"team/{team}", "hello", "--id", "t1").stdout.startswith("You said: ")
    assert aos("task", "wait", team, "t1").stdout.startswith("You said: ")
    shown = aos("task", "show", f"team/{team}", "t1").stdout.splitlines()
    assert shown[0].startswith("t1 is done: ")
    assert shown[1].startswith("2 messages, 1 turn, ")
    assert shown[2] == "user> hello"
    assert shown[3].startswith("writer> You said: ")

    aos("team", "pause", team)
    assert aos("send", f"team/{team}", "later", "--id", "t2").stdout == f"team/{team} has the message t2\n"
    assert [(task["id"], task["status"]) for task in aos.lines("task", "ls", team)] == [
        ("t1", "done"),
        ("t2", "waiting"),
    ]
    assert {("t1", team), ("t2", team)} <= {(task["id"], task["team"]) for task in aos.lines("task", "ls")}
    assert aos("task", "cancel", team, "t2", "--reason", "too late").stdout == "t2 is cancelled: too late\n"
    assert "t2 is cancelled: too late" in aos("task", "wait", team, "t2", code=1).stderr
    assert "there is no task 't3'" in aos("task", "show", team, "t3", code=1).stderr
    aos("team", "stop", team)


def test_ps_shows_members_beneath_their_teams_and_lists_each_once_as_json(aos: Command, ada: str) -> None:
    inner, outer = f"inner-{uuid4().hex[:8]}", f"outer-{uuid4().hex[:8]}"
    aos("team", "start", inner, "--member", "writer:Writes.", "--member", f"guest={ada}")
    aos("team", "start", outer, "--member", f"desk=team/{inner}", "--member", f"artist={ada}")
    wanted = [("agent", ada), ("agent", f"{inner}.writer"), ("team", inner), ("team", outer)]

    def all_there(found: list[dict[str, str]]) -> bool:
        return {*wanted} <= {(one["kind"], one["name"]) for one in found}

    found = aos.until("ps", holds=all_there)
    assert len({(one["kind"], one["name"]) for one in found}) == len(found)
    member_of = {(one["kind"], one["name"]): one["member_of"] for one in found}
    assert [member_of[one] for one in wanted] == [[inner, outer], [inner], [outer], []]

    lines = aos("ps").stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"team/{outer}"))
    names = [line[: lines[0].index("CONDITION")].rstrip() for line in lines[at : at + 5]]
    assert names == [
        f"team/{outer}",
        f"├─ team/{inner} as desk",
        f"│  ├─ {inner}.writer",
        f"│  └─ {ada} as guest",
        f"└─ {ada} as artist",
    ]
    assert not any(line.startswith((ada, f"team/{inner}")) for line in lines)
    for team in (outer, inner):
        aos("team", "stop", team)


def test_a_team_that_there_is_not_is_told_with_the_way_out(aos: Command) -> None:
    missing = aos("team", "show", "nobody-here", code=1).stderr
    assert "team/nobody-here" in missing
    assert "aos team start" in missing


def test_dead_letters_of_a_team_are_replayed(aos: Command, workers: Target, write: Callable[[str, str], str]) -> None:
    name = f"team-{uuid4().hex[:8]}"
    team = f"team/{name}"
    path = write("small.yaml", f"name: {name}\nmembers: [{{name: writer, agent: {{}}}}]\nmailbox_limit: 1\n")
    aos("team", "start", path)
    aos("team", "pause", name)
    aos("send", team, "one", "--id", "one")
    asyncio.run(_send_without_looking(workers, team, "two"))
    assert aos.json("dead-letters", team)["letters"][0]["id"] == "two"
    aos("team", "resume", name)
    assert aos("dead-letters", team, "two", "--replay").stdout.startswith("two is taken in again as ")
    aos("team", "stop", name)


async def _send_without_looking(workers: Target, team: str, task: str) -> None:
    client = await AosClient.connect(workers.address, namespace=workers.namespace)
    await client.send(team, Message(text=task, id=task))
