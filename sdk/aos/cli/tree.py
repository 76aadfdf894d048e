"""Agents and teams as the tree that they form: who is in a team stands beneath it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aos.team_views import MemberView


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree. `branch` is drawn before the name; `seat`: what the one is in the team above."""

    branch: str
    address: str
    seat: MemberView | None = None


def tree(agents: Sequence[str], teams: Mapping[str, Sequence[MemberView]]) -> list[Row]:
    """Return the lines of the tree: agents that are in no team, then teams, each with its members beneath it.

    Who is in several teams stands beneath each. A team that is in itself, by way of others, is not followed again.

    Args:
        agents: Their addresses.
        teams: Members by the team's address.
    """
    seated = {member.address for members in teams.values() for member in members}
    rows = [Row("", address) for address in agents if address not in seated]
    shown: set[str] = set()
    # Teams that are in each other have none that is in no team: any of them begins.
    for address in [*(team for team in teams if team not in seated), *teams]:
        if address not in shown:
            new = [Row("", address), *_beneath(address, teams, "", (address,))]
            rows += new
            shown |= {row.address for row in new}
    return rows


def _beneath(
    team: str, teams: Mapping[str, Sequence[MemberView]], indent: str, above: tuple[str, ...]
) -> Iterator[Row]:
    members = teams.get(team, ())
    for number, member in enumerate(members):
        last = number == len(members) - 1
        yield Row(f"{indent}{'└─ ' if last else '├─ '}", member.address, member)
        if member.address not in above:
            deeper = indent + ("   " if last else "│  ")
            yield from _beneath(member.address, teams, deeper, (*above, member.address))
