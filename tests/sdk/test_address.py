from __future__ import annotations

import pytest

from aos.address import ADDRESS_CHARS, full_address, kind_of, name_of
from aos.names import NAME_LIMIT


@pytest.mark.parametrize(
    ("given", "address"), [("ada", "agent/ada"), ("agent/ada", "agent/ada"), ("team/a.b", "team/a.b")]
)
def test_a_bare_name_is_that_of_an_agent(given: str, address: str) -> None:
    assert full_address(given) == address
    assert f"{kind_of(address)}/{name_of(address)}" == address


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("planet/mars", "agent/, team/, topic/"),
        ("agent/", "starts with a letter"),
        ("agent/a/b", "starts with a letter"),
        ("", "starts with a letter"),
        ("a b", "letters, digits"),
        ("agent/" + "x" * (NAME_LIMIT + 1), "at most"),
    ],
)
def test_what_is_no_address_is_refused_with_what_one_looks_like(given: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        full_address(given)


def test_the_longest_name_gives_the_longest_address() -> None:
    assert len(full_address("x" * NAME_LIMIT)) == ADDRESS_CHARS
