"""Changes to a roster, worked out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import InvalidInput
from aos.team_control import RosterChanges, TeamChanges
from aos.team_spec import TeamSpec
from aos_workflows.team.roster import changed_roster, changed_spec, children_named, equipped

NEWS = TeamSpec.model_validate(
    {
        "name": "news",
        "members": [
            {"name": "ada", "agent": {}, "role": "writes", "skills": ["prose"]},
            {"name": "desk", "team": {"members": [{"name": "x", "agent": {}}]}},
            {"name": "guest", "address": "guest"},
        ],
    }
)


def child(name: str) -> dict[str, object]:
    return json.loads(f'{{"name": "{name}", "agent": {{}}}}')


def changes(**fields: object) -> RosterChanges:
    return RosterChanges.model_validate_json(children_named("news", json.dumps(fields).encode()))


def test_children_in_changes_get_the_name_of_the_team_and_their_own() -> None:
    change = changed_roster(NEWS, changes(add=[child("cyd")]), [])
    assert change.spec.members[-1].where == "agent/news.cyd"
    assert change.joined == [change.spec.members[-1]]
    assert not change.left


def test_who_replaces_a_child_gets_a_name_of_its_own_and_keeps_place_role_and_skills() -> None:
    change = changed_roster(NEWS, changes(replace=[child("ada")]), [])
    new = change.spec.members[0]
    assert (new.where, new.role, new.skills) == ("agent/news.ada.2", "writes", ["prose"])
    assert change.left == [NEWS.members[0]] and change.joined == [new] and change.renewed == ["ada"]


def test_no_child_gets_the_name_of_one_that_left() -> None:
    used = ["agent/news.ada", "agent/news.ada.2"]
    without = changed_roster(NEWS, changes(remove=["ada"]), []).spec
    again = changed_roster(without, changes(add=[child("ada")]), used).spec
    assert again.members[-1].where == "agent/news.ada.3"


def test_the_children_of_a_team_that_is_replaced_get_new_names_too() -> None:
    new: dict[str, object] = {"name": "desk", "team": {"members": [child("x")]}}
    change = changed_roster(NEWS, changes(replace=[new]), [])
    team = change.spec.members[1].team
    assert team is not None
    assert (team.name, team.members[0].where) == ("news.desk.2", "agent/news.desk.2.x")


def test_roles_change_alone() -> None:
    change = changed_roster(NEWS, changes(roles={"ada": "edits"}), [])
    assert change.spec.members[0].role == "edits"
    assert not change.left and not change.joined


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"remove": ["zoe"]}, "there is no member 'zoe'"),
        ({"remove": ["ada", "desk", "guest"]}, "one member at least"),
        ({"remove": ["ada"], "replace": [{"name": "ada", "address": "x"}]}, "removed and replaced"),
        ({"add": [{"name": "guest", "address": "x"}]}, "already"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        changed_roster(NEWS, changes(**given), [])


def test_nothing_to_configure_is_refused() -> None:
    with pytest.raises(InvalidInput, match="give the fields"):
        changed_spec(NEWS, TeamChanges())
    assert changed_spec(NEWS, TeamChanges(patience=5)).patience == 5


def test_children_get_the_tools_that_the_way_of_working_needs() -> None:
    swarm = changed_spec(
        NEWS,
        TeamChanges.model_validate(
            {"strategy": {"type": "swarm"}, "termination": {"type": "any", "of": [{"type": "stop_message"}]}}
        ),
    )
    ada, desk, _ = swarm.members
    agent = equipped(swarm, ada).agent
    assert agent is not None and agent.tools == [*(ada.agent.tools if ada.agent else []), "handoff", "finish"]
    assert equipped(swarm, desk) == desk
    assert equipped(NEWS, ada) == ada


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "replace"]), st.sampled_from("abc")), max_size=20))
def test_no_two_children_ever_have_one_address(steps: list[tuple[str, str]]) -> None:
    spec, used = NEWS, list[str]()
    everybody = {member.where for member in NEWS.members}
    for what, name in steps:
        wanted: list[object] = [name] if what == "remove" else [child(name)]
        try:
            change = changed_roster(spec, changes(**{what: wanted}), used)
        except InvalidInput:
            continue
        for member in change.joined:
            assert member.where not in everybody
            everybody.add(member.where)
        used += [member.where for member in change.left]
        spec = change.spec
