from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from temporalio.service import RPCError, RPCStatusCode

from aos.app import App
from aos.connection import translated
from aos.errors import AgentNotFound, InvalidInput, TeamExists, TeamNotFound
from aos.manifest import as_yaml, load_agents, load_specs, load_team
from aos.spec import AgentSpec, CronTrigger, EventTrigger, IntervalTrigger
from aos.strategy import Arbiter, Broadcast, Edge, Graph, Planner, Selector, Strategy, Swarm
from aos.team_spec import Member, TeamSpec
from aos.termination import MaxMessages, Termination, TextMention, Timeout
from aos.wire import without_defaults

_MEMBERS = [Member(name="writer", address="ada"), Member(name="critic", address="agent/ben", role="Find faults.")]
_BOTH = """\
name: ada
---
name: news
members:
  - {name: writer, agent: {purpose: Write.}}
  - {name: desk, address: ada}
strategy: {type: swarm}
termination: {type: any, of: [{type: max_messages, count: 4}, {type: stop_message}]}
"""


def _file(folder: Path, text: str) -> Path:
    file = folder / "news.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_document_with_members_is_a_team_and_others_are_agents(tmp_path: Path) -> None:
    agent, team = load_specs(_file(tmp_path, _BOTH))

    assert isinstance(agent, AgentSpec)
    assert isinstance(team, TeamSpec)
    assert [member.where for member in team.members] == ["agent/news.writer", "agent/ada"]


def test_where_agents_only_are_wanted_a_team_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="it holds teams: news"):
        load_agents(_file(tmp_path, _BOTH))


def test_an_agent_and_a_team_may_share_a_name_and_two_teams_may_not(tmp_path: Path) -> None:
    team = "name: ada\nmembers: [{name: x, address: bob}]\n"
    assert len(load_specs(_file(tmp_path, f"name: ada\n---\n{team}"))) == 2
    with pytest.raises(InvalidInput, match=r"news\.yaml:4:.*'ada' is taken by the team at .*news\.yaml:1:"):
        load_specs(_file(tmp_path, f"{team}---\n{team}"))


def test_a_wrong_field_of_a_team_is_named_with_its_line(tmp_path: Path) -> None:
    text = "name: news\nmembers:\n  - name: writer\n    adress: ada\n"
    with pytest.raises(InvalidInput, match=r"news\.yaml:\d+:\d+: "):
        load_team(_file(tmp_path, text))
    with pytest.raises(InvalidInput, match=r"news\.yaml:4:5.*adress"):
        load_specs(_file(tmp_path, text))


@pytest.mark.parametrize(
    "strategy",
    [
        Swarm(),
        Selector(allow_repeats=True),
        Planner(max_stalls=2),
        Graph(edges=[Edge(source="writer", target="critic", condition="ready")]),
        Broadcast(merge="arbitrate", arbiter=Arbiter(by="member", member="critic")),
    ],
    ids=lambda strategy: strategy.type,
)
@pytest.mark.parametrize("termination", [None, MaxMessages(count=3) | (TextMention(text="ok") & Timeout(after=60.0))])
def test_a_team_written_as_yaml_is_the_same_when_it_is_read_again(
    strategy: Strategy, termination: Termination | None, tmp_path: Path
) -> None:
    child = Member(name="desk", agent=AgentSpec(name="desk", triggers=[IntervalTrigger(every=60.0)]))
    spec = TeamSpec(name="news", members=[*_MEMBERS, child], strategy=strategy, termination=termination)

    assert load_team(_file(tmp_path, as_yaml(spec))) == spec


def test_an_agent_with_triggers_written_as_yaml_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    triggers = [IntervalTrigger(every=900.0), CronTrigger(cron="0 9 * * *"), EventTrigger(event="ship.*")]
    spec = AgentSpec(name="ada", triggers=triggers, max_steps=3)

    assert load_specs(_file(tmp_path, as_yaml(spec))) == [spec]


def test_what_has_its_default_is_not_written() -> None:
    assert yaml.safe_load(as_yaml(AgentSpec(name="ada"))) == {"name": "ada"}
    written = without_defaults(TeamSpec(name="news", members=_MEMBERS[:1]))
    assert written == {"name": "news", "members": [{"name": "writer", "address": "agent/ada"}]}


def test_an_application_has_teams_and_no_two_of_one_name() -> None:
    team = TeamSpec(name="news", members=_MEMBERS)
    assert App("shop", teams=[team]).teams == (team,)
    with pytest.raises(InvalidInput, match="teams: there are two called 'news'"):
        App("shop", teams=[team, team])


def test_a_missing_team_is_told_with_the_way_out() -> None:
    missing = RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
    assert type(translated("team/news", missing)) is TeamNotFound
    assert type(translated("ada", missing)) is AgentNotFound
    assert "aos team start" in str(TeamNotFound("team/news"))
    assert "aos team stop news" in str(TeamExists("team/news"))
