"""Texts that break a reader of YAML: each has its place and a sentence, none an error of the reader's own."""

from __future__ import annotations

import pytest

from aos.yaml_document import YamlProblem, documents


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    ["[" * 5000, "a: " + "{a: " * 2000, "- " * 3000 + "a", "a: 0b_", "a: 0x_", "a: " + "9" * 5000, 'a: "\\U00110000"'],
    ids=["lists", "objects", "dashes", "0b_", "0x_", "5,000 digits", "beyond the last character"],
)
def test_a_text_that_breaks_a_reader_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(YamlProblem) as refused:
        documents(text)
    assert refused.value.place.line == 1
    assert len(str(refused.value)) < 1000
