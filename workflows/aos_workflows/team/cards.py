"""The members of a team as strategies see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import overload

from aos.team_spec import Member
from aos_workflows.team.course import Card
from aos_workflows.team.state import TeamState


class Cards:
    """Makes cards, and keeps those of members for whom nothing has changed: a strategy looks at all with every turn."""

    def __init__(self, state: TeamState) -> None:
        self._state = state
        self._made: dict[str, tuple[Member, Card]] = {}

    def now(self, now: float) -> Sequence[Card]:
        """Return the card of each member, in the order of the roster. `now` is in seconds since 1970.

        They are made when they are looked at, which is to be before anything changes: of a thousand answers to one
        broadcast, hardly any has its strategy look.
        """
        members = self._state.spec.members
        return _Laid(len(members), lambda: [self._card(member, now) for member in members])

    def _card(self, member: Member, now: float) -> Card:
        name = member.name
        standing = self._state.standing.get(name)
        load = standing.load if standing else 0
        gone = standing is not None and standing.condition == "gone" and self._state.is_gone(member, now)
        made = self._made.get(name)
        if made and made[0] is member and made[1].load == load and made[1].gone == gone:
            return made[1]
        # What somebody who is born here can do is in its own spec too.
        skills = member.skills or (member.agent.skills if member.agent else [])
        card = Card(name=name, role=member.role, skills=tuple(skills), load=load, gone=gone)
        self._made[name] = (member, card)
        return card


class _Laid(Sequence[Card]):
    """Cards that are made at the first look at one of them."""

    def __init__(self, count: int, make: Callable[[], list[Card]]) -> None:
        self._count = count
        self._make = make

    @cached_property
    def _cards(self) -> list[Card]:
        return self._make()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Card]:
        return iter(self._cards)

    @overload
    def __getitem__(self, at: int) -> Card: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Card]: ...
    def __getitem__(self, at: int | slice) -> Card | Sequence[Card]:
        return self._cards[at]
