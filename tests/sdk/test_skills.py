from __future__ import annotations

import pytest

from aos.spec import AgentSpec


def test_skills_that_do_not_fit_into_a_search_attribute_are_refused() -> None:
    assert AgentSpec(name="ada", skills=["x" * 100] * 16)
    with pytest.raises(ValueError, match="skills: together they have"):
        AgentSpec(name="ada", skills=["ü" * 100] * 16)
