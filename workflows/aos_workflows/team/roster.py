"""Changes to who is in a team, worked out before anything is done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from pydantic import ValidationError

from aos.errors import InvalidInput
from aos.limits import SPEC_BYTES
from aos.reading import check_size, problems
from aos.strategy import Swarm
from aos.team_control import RosterChanges, TeamChanges
from aos.team_spec import Member, TeamSpec
from aos.termination import AllOf, AnyOf, StopMessage, Termination

HANDOFF, FINISH = "handoff", "finish"
"""Tools of agents by which they hand a task on, and say that it is done."""


@dataclass(frozen=True, slots=True)
class Change:
    """A roster as it is to be. `left` were in it, `joined` are new, also in the place of one of the same name."""

    spec: TeamSpec
    left: list[Member] = field(default_factory=list[Member])
    joined: list[Member] = field(default_factory=list[Member])
    renewed: list[str] = field(default_factory=list[str])
    """Names under which there is another one now."""
    roles: dict[str, str] = field(default_factory=dict[str, str])


def changed_roster(spec: TeamSpec, changes: RosterChanges, used: Sequence[str]) -> Change:
    """Return what `changes` make of the team. `used` are addresses of children that left: no child gets one again.

    Raises:
        InvalidInput: Nobody of a name is there, or two of one name would be, or the strategy needs who would leave.
    """
    there = {member.name: member for member in spec.members}
    named = [*changes.remove, *(member.name for member in changes.replace), *changes.roles]
    wrong = [
        f"there is no member {name!r}; there are {', '.join(sorted(there))}"
        for name in dict.fromkeys(named)
        if name not in there
    ]
    wrong += [f"{name!r} cannot be removed and replaced" for name in changes.remove if name in _names(changes.replace)]
    taken = set(there) - set(changes.remove)
    wrong += [f"there is a member {name!r} already" for name in _names(changes.add) if name in taken]
    for what, names in (("add", _names(changes.add)), ("replace", _names(changes.replace))):
        wrong += [f"{what}: there are two called {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
    if wrong:
        raise InvalidInput("changes", wrong)
    addresses = {member.where for member in spec.members} | set(used)
    joined: dict[str, Member] = {}
    for member in (*changes.replace, *changes.add):
        before = there.get(member.name)
        made = _with_name_of_its_own(member, addresses)
        role = member.role or (before.role if before else "")
        skills = member.skills or (before.skills if before else [])
        joined[member.name] = made.model_copy(update={"role": role, "skills": skills})
        addresses.add(made.where)
    left = [there[name] for name in dict.fromkeys([*changes.remove, *_names(changes.replace)])]
    kept = [
        joined[name] if name in _names(changes.replace) else member
        for name, member in there.items()
        if name not in changes.remove
    ]
    members = [*kept, *(joined[name] for name in _names(changes.add))]
    members = [
        member.model_copy(update={"role": changes.roles[member.name]}) if member.name in changes.roles else member
        for member in members
    ]
    if not members:
        raise InvalidInput("changes", ["remove: a team keeps one member at least; `aos stop` ends it"])
    changed = _checked(spec, {"members": [_plain(member) for member in members]})
    return Change(
        changed,
        left,
        [member for member in changed.members if member.name in joined],
        _names(changes.replace),
        dict(changes.roles),
    )


def children_named(team: str, data: bytes) -> bytes:
    """Return changes as they were typed, with names for the children in them that have none, as `news.editor`."""
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if not isinstance(given, dict):
        return data
    named: dict[str, object] = dict(cast("dict[str, object]", given))
    for which in ("add", "replace"):
        if isinstance(members := named.get(which), list):
            named[which] = [_member_named(team, member) for member in cast("list[object]", members)]
    return json.dumps(named).encode()


def _member_named(team: str, member: object) -> object:
    if not isinstance(member, dict):
        return member
    named: dict[str, object] = dict(cast("dict[str, object]", member))
    for body in ("agent", "team"):
        child = named.get(body)
        if isinstance(child, dict) and isinstance(name := named.get("name"), str):
            named[body] = {"name": f"{team}.{name}", **cast("dict[str, object]", child)}
    return named


def changed_spec(spec: TeamSpec, changes: TeamChanges) -> TeamSpec:
    """Return the team with other fields.

    Raises:
        InvalidInput: They do not fit together, or nothing is to be changed.
    """
    given = changes.model_dump(mode="json", exclude_none=True)
    if not given:
        raise InvalidInput("changes", [f"give the fields to change, among {', '.join(TeamChanges.model_fields)}"])
    return _checked(spec, given)


def equipped(spec: TeamSpec, member: Member) -> Member:
    """Return a member with the tools that the team's way of working needs: to hand on, and to say that it is done.

    An agent that names them itself, or is nobody's child, is left as it is.
    """
    needed = [HANDOFF] if isinstance(spec.strategy, Swarm) else []
    needed += [FINISH] if any(isinstance(leaf, StopMessage) for leaf in _leaves(spec.termination)) else []
    if member.agent is None or not (missing := [tool for tool in needed if tool not in member.agent.tools]):
        return member
    tools = [*member.agent.tools, *missing]
    return member.model_copy(update={"agent": member.agent.model_copy(update={"tools": tools})})


def _leaves(termination: Termination | None) -> list[Termination]:
    if isinstance(termination, AnyOf | AllOf):
        return [leaf for part in termination.of for leaf in _leaves(part)]
    return [termination] if termination else []


def _checked(spec: TeamSpec, fields: dict[str, object]) -> TeamSpec:
    try:
        changed = TeamSpec.model_validate({**_plain(spec), **fields})
    except ValidationError as error:
        raise InvalidInput("changes", problems(TeamSpec, error)) from None
    check_size("team", changed, SPEC_BYTES)
    return changed


def _plain(model: TeamSpec | Member) -> dict[str, object]:
    return model.model_dump(mode="json")


def _names(members: Sequence[Member]) -> list[str]:
    return [member.name for member in members]


def _with_name_of_its_own(member: Member, addresses: set[str]) -> Member:
    body = member.agent or member.team
    if body is None or member.where not in addresses:
        return member
    number = 2
    while f"{member.where}.{number}" in addresses:
        number += 1
    return _renamed(member, f"{body.name}.{number}")


def _renamed(member: Member, name: str) -> Member:
    """Return `member` whose agent or team is called `name`; children of a team that carry its name get the new one."""
    fields = _plain(member)
    if member.agent:
        fields["agent"] = {**member.agent.model_dump(mode="json"), "name": name}
    elif member.team:
        inner = [_follow(child, member.team.name, name) for child in member.team.members]
        fields["team"] = {
            **member.team.model_dump(mode="json"),
            "name": name,
            "members": [_plain(child) for child in inner],
        }
    try:
        return Member.model_validate(fields)
    except ValidationError as error:
        raise InvalidInput("changes", problems(Member, error)) from None


def _follow(child: Member, old: str, new: str) -> Member:
    body = child.agent or child.team
    if body is None or not body.name.startswith(f"{old}."):
        return child
    return _renamed(child, new + body.name[len(old) :])
