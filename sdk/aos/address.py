"""Addresses: whom a message goes to and comes from. An address is the id of the workflow that takes the message."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator

from aos.names import NAME_LIMIT, check_name

AddressKind = Literal["agent", "team", "topic"]
"""What can be written to. A bare name is that of an agent."""

KINDS: tuple[str, ...] = get_args(AddressKind)

ADDRESS_CHARS = NAME_LIMIT + len("agent/")
"""Longest address, in characters."""


def full_address(text: str) -> str:
    """Return `text`, an address or the bare name of an agent, as an address: `ada` is `agent/ada`.

    Raises:
        ValueError: It is neither.
    """
    kind, slash, name = text.partition("/")
    if not slash:
        return f"agent/{check_name(text)}"
    if kind not in KINDS:
        raise ValueError(f"{text!r} is no address: it begins with none of {', '.join(f'{kind}/' for kind in KINDS)}")
    check_name(name)
    return text


def kind_of(address: str) -> str:
    """Return what an address is the address of."""
    return address.partition("/")[0]


def name_of(address: str) -> str:
    """Return the bare name in an address."""
    return address.partition("/")[2]


Address = Annotated[str, AfterValidator(full_address)]
"""An address, or the bare name of an agent, which becomes one."""
