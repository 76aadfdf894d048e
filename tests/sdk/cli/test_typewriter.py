from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aos.cli.typewriter import Typewriter


@given(text=st.text(), cuts=st.lists(st.integers(min_value=0, max_value=200)), tail=st.integers(1, 200))
def test_whatever_part_of_a_text_is_told_of_it_is_written_once(text: str, cuts: list[int], tail: int) -> None:
    writer = Typewriter()
    told = [text[:cut] for cut in sorted(cuts)]
    written = "".join(writer.go_on(part[-tail:], len(part)) for part in told)
    end = writer.end(text)
    assert written + end == text or (end == f"\n{text}" and "…" in written) or (end == "" and written.strip() == text)


def test_a_gap_is_marked_and_the_whole_follows() -> None:
    writer = Typewriter()
    assert writer.go_on("one ", 4) == "one "
    assert writer.go_on("four", 20) == "…four"
    assert writer.end("one two three four") == "\none two three four"


def test_a_text_after_a_tool_call_begins_a_line_of_its_own() -> None:
    writer = Typewriter()
    assert writer.go_on("Let me look.", 12) == "Let me look."
    assert writer.go_on("It", 2) == "\nIt"
    assert writer.end("It rains.") == " rains."


def test_a_space_at_the_end_of_what_was_streamed_is_no_other_text() -> None:
    writer = Typewriter()
    assert writer.go_on("done ", 5) == "done "
    assert writer.end("done") == ""
