from __future__ import annotations

import pytest
from pydantic import ValidationError

from aos.strategy import Edge, Graph
from courses.stage import Stage, asked, end, failure, speakers


def graph(*edges: str, names: str = "abcd", start: str = "") -> Stage:
    """Return a graph whose edges are written as `a>b`, `a>b if yes`, `a>b in group any`."""
    return Stage(Graph(edges=[edge(each) for each in edges], start=list(start)), *names)


def edge(text: str) -> Edge:
    ends, _, condition = text.partition(" if ")
    ends, _, group = ends.partition(" in ")
    name, _, when = group.partition(" ")
    return Edge.model_validate(
        {"source": ends[0], "target": ends[2], "condition": condition, "group": name, "when": when or "all"}
    )


def test_a_line_is_spoken_along_and_ends() -> None:
    stage = graph("a>b", "b>c", names="abc")
    assert speakers(stage.begin()) == ["a"]
    assert speakers(stage.says("a")) == ["b"]
    assert speakers(stage.says("b")) == ["c"]
    assert end(stage.says("c")).reason == "nobody is left to speak"


def test_where_edges_part_several_speak_at_once_and_a_join_waits_for_all() -> None:
    stage = graph("a>b", "a>c", "b>d", "c>d")
    stage.begin()
    assert speakers(stage.says("a")) == ["b", "c"]
    assert stage.says("c") is None
    assert speakers(stage.says("b")) == ["d"]
    end(stage.says("d"))


def test_a_join_of_any_speaks_once_for_all_that_speak_at_once() -> None:
    stage = graph("a>b", "a>c", "b>d in g any", "c>d in g any")
    stage.begin()
    stage.says("a")
    assert stage.says("b") is None
    assert speakers(stage.says("c")) == ["d"]
    end(stage.says("d"))


def test_the_next_step_begins_when_all_have_spoken() -> None:
    stage = graph("a>b", "a>c", "b>d")
    stage.begin()
    stage.says("a")
    assert stage.says("b") is None, "c still speaks"
    assert speakers(stage.says("c")) == ["d"]


def test_an_edge_with_a_text_is_taken_when_the_text_was_said() -> None:
    for said, following in (("yes, APPROVED", ["c"]), ("try again", ["b"])):
        stage = graph("a>b if again", "a>c if APPROVED", names="abc")
        stage.begin()
        assert speakers(stage.says("a", said)) == following
    stage = graph("a>b if again", "a>c if APPROVED", names="abc")
    stage.begin()
    end(stage.says("a", "approved"))


def test_a_loop_goes_round_until_its_exit_is_taken() -> None:
    stage = graph("a>b in first", "c>b in again if NO", "b>c", "c>d if YES")
    assert speakers(stage.begin()) == ["a"]
    stage.says("a")
    for _ in range(3):
        assert speakers(stage.says("b")) == ["c"]
        assert speakers(stage.says("c", "NO")) == ["b"]
    stage.says("b")
    assert speakers(stage.says("c", "YES")) == ["d"]
    end(stage.says("d"))


def test_a_join_in_a_loop_needs_each_of_its_edges_anew_and_not_one_of_them_twice() -> None:
    stage = graph("a>b", "b>a in back if NO", "a>c in join", "b>c in join if YES", names="abc", start="a")
    stage.begin()
    assert speakers(stage.says("a")) == ["b"]
    assert speakers(stage.says("b", "NO")) == ["a"]
    assert speakers(stage.says("a")) == ["b"], "c waits for b, though the edge from a was taken twice"
    assert speakers(stage.says("b", "YES")) == ["c"]


def test_groups_of_edges_are_complete_each_for_itself() -> None:
    stage = graph("a>c in one", "b>c in two", "d>b", names="abcd", start="ad")
    assert speakers(stage.begin()) == ["a", "d"]
    stage.says("d")
    assert speakers(stage.says("a")) == ["b", "c"]
    stage.says("c")
    assert speakers(stage.says("b")) == ["c"], "for its other group"


def test_a_function_decides_on_an_edge() -> None:
    stage = graph("a>b if tool:desk/good", "a>c if tool:desk/bad", names="abc")
    stage.begin()
    consult = asked(stage.says("a", "a draft"))
    assert (consult.kind, consult.tool, consult.arguments) == ("function", "desk/good", {"text": "a draft"})
    assert asked(stage.answers(output=False)).tool == "desk/bad"
    assert speakers(stage.answers(output=True)) == ["c"]


def test_members_are_heard_while_a_function_is_asked() -> None:
    stage = graph("a>c if tool:desk/a", "b>c if tool:desk/b", names="abc")
    assert speakers(stage.begin()) == ["a", "b"]
    assert asked(stage.says("a", "one")).arguments == {"text": "one"}
    assert stage.says("b", "two") is None
    assert asked(stage.answers(output=True)).arguments == {"text": "two"}
    assert speakers(stage.answers("true")) == ["c"]


def test_a_function_that_fails_ends_the_task_and_names_the_edge() -> None:
    stage = graph("a>b if tool:desk/good", names="ab")
    stage.begin()
    stage.says("a")
    reason = failure(stage.answers(error="boom"))
    assert "desk/good" in reason and "from a to b" in reason and "boom" in reason


def test_those_that_the_graph_names_begin() -> None:
    assert speakers(graph("a>b", "b>a", names="ab", start="b").begin()) == ["b"]
    assert "no start" in failure(graph("a>b", "b>a", names="ab").begin())
    assert "no members" in failure(graph("a>b", names="").begin())


def test_a_lost_member_counts_as_done_where_nothing_depends_on_what_it_says() -> None:
    stage = graph("a>b", "a>c", "b>d", "c>d")
    stage.begin()
    stage.says("a")
    stage.loses("b")
    assert speakers(stage.says("c")) == ["d"]
    assert "b (it died)" in end(stage.says("d")).reason


def test_a_graph_that_cannot_go_on_without_who_was_lost_fails() -> None:
    stage = graph("a>b if yes", "a>c if no", names="abc")
    stage.begin()
    assert "a (it died)" in failure(stage.loses("a"))
    stage = graph("a>b", names="ab")
    stage.begin()
    stage.says("a")
    assert "b (it died)" in failure(stage.loses("b"))


def test_members_that_left_are_passed_over_with_those_behind_them() -> None:
    stage = graph("a>b", "b>c", "c>d")
    stage.begin()
    stage.leaves("b")
    stage.dies("c")
    assert speakers(stage.says("a")) == ["d"]


def test_a_loop_of_members_that_left_ends() -> None:
    stage = graph("a>b", "b>c", "c>b in back", names="abc", start="a")
    stage.begin()
    stage.leaves("b")
    stage.leaves("c")
    assert "b (it is not in the team)" in end(stage.says("a")).reason


def test_one_that_joins_has_no_part_in_the_graph() -> None:
    stage = graph("a>b", names="ab")
    stage.begin()
    stage.joins("z")
    assert speakers(stage.says("a")) == ["b"]
    end(stage.says("b"))


def test_the_ledger_shows_which_edges_wait() -> None:
    stage = graph("a>b", "a>d", "b>c", "c>d")
    stage.begin()
    stage.says("a")
    assert stage.course.ledger() == {"step": ["b"], "taken": ["a -> d"]}


def test_edges_of_one_group_that_disagree_are_refused() -> None:
    with pytest.raises(ValidationError, match="both all and any"):
        Graph(edges=[edge("a>c in g all"), edge("b>c in g any")])


def test_a_loop_in_which_nobody_can_speak_ends() -> None:
    stage = graph("a>b", "b>a in back", names="ab", start="a")
    stage.begin()
    assert speakers(stage.loses("a")) == ["b"]
    assert "no member can speak" in failure(stage.loses("b"))


@pytest.mark.parametrize("condition", ["tool:", "tool:desk/", "tool:is it good?"])
def test_a_condition_that_names_no_function_is_refused(condition: str) -> None:
    with pytest.raises(ValidationError, match="a name"):
        edge(f"a>b if {condition}")
