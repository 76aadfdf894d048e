from __future__ import annotations

from aos.cli.tree import tree
from aos.team_views import MemberView


def _member(address: str) -> MemberView:
    name = address.partition("/")[2]
    return MemberView(name=name, address=address, role="", skills=[], condition="ready", child=False)


def _drawn(agents: str, **teams: str) -> list[str]:
    members = {f"team/{team}": [_member(address) for address in those.split()] for team, those in teams.items()}
    return [row.branch + row.address for row in tree([f"agent/{name}" for name in agents.split()], members)]


def test_who_is_in_no_team_comes_first_and_members_stand_beneath_their_teams() -> None:
    assert _drawn("ada bob cyd", news="agent/bob team/desk", desk="agent/cyd agent/gone") == [
        "agent/ada",
        "team/news",
        "├─ agent/bob",
        "└─ team/desk",
        "   ├─ agent/cyd",
        "   └─ agent/gone",
    ]


def test_who_is_in_two_teams_stands_beneath_both() -> None:
    assert _drawn("ada", desk="agent/ada", news="agent/ada") == [
        "team/desk",
        "└─ agent/ada",
        "team/news",
        "└─ agent/ada",
    ]


def test_teams_that_are_in_each_other_are_drawn_once_round() -> None:
    assert _drawn("", ann="team/bea", bea="team/ann", cid="team/cid") == [
        "team/ann",
        "└─ team/bea",
        "   └─ team/ann",
        "team/cid",
        "└─ team/cid",
    ]
