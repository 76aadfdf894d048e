from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from temporalio.service import RPCError, RPCStatusCode

from aos.connection import translated
from aos.errors import AgentNotFound, TopicExists, TopicNotFound
from aos.names import NAME_LIMIT
from aos.topic import TOPIC_CHARS, TopicSpec, topic_address, topic_name
from aos_workflows.topic.state import DEEPEST

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,79}", fullmatch=True)


@given(NAMES)
def test_a_topic_is_named_bare_or_by_its_address(name: str) -> None:
    assert topic_name(name) == topic_name(topic_address(name)) == name


@given(NAMES, st.lists(st.integers(1, 8), min_size=1, max_size=DEEPEST))
def test_the_names_of_branches_are_those_of_no_topic_and_short_enough(root: str, path: list[int]) -> None:
    branch = ".".join([root, *map(str, path)])
    assert TopicSpec(name=branch, root=root).name == branch
    assert len(branch) <= NAME_LIMIT
    with pytest.raises(ValueError, match="ends in a dot and a number"):
        topic_name(branch)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a name starts with"),
        ("no name", "a name starts with"),
        ("agent/ada", "is no topic; write its name, or topic/NAME"),
        ("planet/mars", "is no address"),
        ("s" * (TOPIC_CHARS + 1), f"at most {TOPIC_CHARS} characters"),
    ],
)
def test_what_names_no_topic_is_told_with_what_does(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        topic_name(text)


def test_a_branch_is_called_as_its_topic_is() -> None:
    with pytest.raises(ValidationError, match="a branch of 'boats' is called so"):
        TopicSpec(name="ships.1", root="boats")


def test_a_missing_topic_is_told_with_the_way_out() -> None:
    missing = translated("topic/ships", RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b""))
    assert type(missing) is TopicNotFound and isinstance(missing, AgentNotFound)
    assert "aos topic ls" in str(missing)
    assert "aos topic stop ships" in str(TopicExists("topic/ships"))
