"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aos.views import ModelSpend

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def money(dollars: float) -> str:
    """Return a sum of US dollars: two digits after the point, four for what is less than a cent."""
    if dollars and dollars < 0.01:
        return f"${dollars:.4f}" if dollars >= 0.0001 else "<$0.0001"
    return f"${dollars:,.2f}"


def total(spend: Iterable[ModelSpend]) -> str:
    """Return what all models cost together."""
    return money(sum(model.cost for model in spend))


def age(moment: datetime, now: datetime | None = None) -> str:
    """Return how far off `moment` is, such as `5 min ago` or `in 2 h`."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    size, unit = next((step for step in _UNITS if abs(seconds) >= step[0]), (1, "s"))
    number = f"{abs(seconds) // size:.0f} {unit}"
    return f"{number} ago" if seconds >= 0 else f"in {number}"


def counted(number: int, what: str) -> str:
    """Return `1 message`, `2 messages` and so on."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")
