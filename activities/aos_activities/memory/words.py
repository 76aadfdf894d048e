"""Words of a record, and what is searched for with them."""

from __future__ import annotations

import json
import re

from aos.memory import Write

_WORD = re.compile(r"\w+")
_MOST_WORDS = 32


def words_of(write: Write) -> tuple[str, str, str]:
    """Return what of a record is found by its words: its key, its text with the texts in its data, and its tags."""
    data = "" if write.data is None else json.dumps(write.data, ensure_ascii=False)
    return write.key, f"{write.text}\n{data}" if data else write.text, " ".join(write.tags)


def searched_words(text: str) -> list[str]:
    """Return the words of a search, each once. Whatever else stands in it, as a query language has, means nothing."""
    return list(dict.fromkeys(word.casefold() for word in _WORD.findall(text)))[:_MOST_WORDS]
