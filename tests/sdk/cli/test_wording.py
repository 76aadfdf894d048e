from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aos.cli.wording import age, counted, money

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dollars", "words"),
    [(0, "$0.00"), (0.00001, "<$0.0001"), (0.0012, "$0.0012"), (0.25, "$0.25"), (1234.5, "$1,234.50")],
)
def test_money_shows_as_many_digits_as_it_needs(dollars: float, words: str) -> None:
    assert money(dollars) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5 s ago"), (90, "1 min ago"), (7300, "2 h ago"), (200_000, "2 d ago"), (-300, "in 5 min")],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert age(NOON - timedelta(seconds=seconds), NOON) == words


def test_what_is_counted_has_its_plural() -> None:
    assert [counted(number, "turn") for number in (0, 1, 2000)] == ["0 turns", "1 turn", "2,000 turns"]
