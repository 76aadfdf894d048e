"""Shorter texts made of a longer text's own sentences."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aos.conversation import AssistantItem, Item, SummaryItem, UserItem
from aos_activities.models.offline.sources import Source, gather
from aos_activities.models.offline.text import Passage, Sentence, split, stems, words

CONVERSATION_CHARS = 1500
"""Longest summary of a conversation."""

_FACT = re.compile(r"\d|(?<=[a-z,;] )[A-Z][a-z]+")
_DECISION = re.compile(
    r"\b(?:decid\w+|decision|agree\w*|must|never|always|prefer\w*|favou?rite|remember|note that|my name|i am|i'm|"
    r"we will|"
    r"i will|"
    r"deadline|promis\w+|approv\w+|from now on|instead|important)\b",
    re.IGNORECASE,
)
_LONGEST_LINE = 320
_DULL = frozenset(
    words("one two three four five six seven eight nine ten every day days year years metre metres first second last")
)


def key_terms(passage: Passage, limit: int = 5) -> list[str]:
    """Return the words that `passage` is most about, in the form in which they stand first."""
    terms = list[str]()
    for term, _ in passage.counts.most_common(8 * limit):
        sentence = passage.sentences[
            next(place for place in passage.places[term] if term in passage.sentences[place].stems)
        ]
        form = next(word for word in words(sentence.text) if term in stems(word))
        if len(form) > 2 and not form[0].isdigit() and form.casefold() not in _DULL:
            terms.append(form)
    return terms[:limit]


def summarise(
    passage: Passage, limit: int, focus: frozenset[str] = frozenset(), only_focus: bool = False
) -> list[Sentence]:
    """Return the sentences that stand best for `passage`, at most `limit`, in their order.

    `focus` holds stems of what the reader cares for; `only_focus` leaves out sentences without them.
    """
    scores = [
        (_centrality(sentence, passage.counts, place, focus), place)
        for place, sentence in enumerate(passage.sentences)
        if not only_focus or focus & (sentence.context | set(sentence.stems))
    ]
    chosen = list[int]()
    for score, place in sorted(scores, key=lambda each: (-each[0], each[1])):
        if len(chosen) == limit or score <= 0:
            break
        own = set(passage.sentences[place].stems)
        # A sentence that says again what is chosen already adds nothing.
        if all(len(own & set(passage.sentences[other].stems)) < 0.5 * (len(own) or 1) for other in chosen):
            chosen.append(place)
    return [passage.sentences[place] for place in sorted(chosen)]


def _centrality(sentence: Sentence, counts: Counter[str], place: int, focus: frozenset[str]) -> float:
    own = set(sentence.stems)
    if not own or sentence.asks:
        return 0.0
    length = len(sentence.stems)
    score = sum(math.log(1 + counts[term]) for term in own) / math.sqrt(length)
    score *= (1.25 if sentence.opens else 1.0) + (0.5 if place == 0 else 0.0)
    score *= 1.1 if _FACT.search(sentence.text) else 1.0
    if length < 4 or len(sentence.text) > 350:
        score *= 0.6
    # "He", "it" and "this" need the sentence before them.
    if re.match(r"(?:He|She|It|They|This|These|His|Her)\b", sentence.text):
        score *= 0.7
    return score * (1 + len(own & focus | sentence.context & focus))


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    worth: float
    order: int


def summarise_conversation(items: Sequence[Item], instruction: str = "", limit: int = CONVERSATION_CHARS) -> str:
    """Return a summary of `items`, one line a statement, each with its source; at most `limit` characters.

    What users stated and decided is kept first, then the gist of what was read. `instruction` is the user's text that
    asks for the summary; it is left out.
    """
    lines, seen = list[_Line](), set[str]()
    for order, line in enumerate(_lines(items, instruction)):
        if line.text.casefold() not in seen:
            seen.add(line.text.casefold())
            lines.append(_Line(line.text, line.worth, order))
    kept, room = list[_Line](), limit
    # Of lines worth the same, the newer one stays.
    for line in sorted(lines, key=lambda line: (-line.worth, -line.order)):
        if len(line.text) + 1 <= room:
            kept.append(line)
            room -= len(line.text) + 1
    return (
        "\n".join(line.text for line in sorted(kept, key=lambda line: line.order)) or "Nothing was said so far."[:limit]
    )


def _lines(items: Sequence[Item], instruction: str) -> list[_Line]:
    lines = list[_Line]()
    for item in items:
        if isinstance(item, SummaryItem):
            lines += [_Line(_cut(line), 2.2 + _bonus(line), 0) for line in item.text.splitlines() if line.strip()]
    for source in gather([item for item in items if not isinstance(item, SummaryItem)]):
        if source.kind == "user":
            if source.text != instruction:
                lines += _told(source)
        else:
            lines += _learned(source)
    for item in items:
        if isinstance(item, AssistantItem) and item.text.strip():
            said = next(iter(split(" ".join(item.text[:2000].split()))), "")
            lines.append(_Line(_cut(f"- [my answer] {said}"), 0.5, 0))
    return lines


def _told(source: Source) -> list[_Line]:
    passage = source.passage
    long = len(passage.sentences) > 12
    statements = summarise(passage, 6) if long else passage.sentences
    return [
        _Line(
            _cut(f"- [{_label(source)}] {sentence.text}"),
            (1.5 if long else 1.0 if sentence.asks or sentence.requests else 3.0) + _bonus(sentence.text),
            0,
        )
        for sentence in statements
    ]


def _learned(source: Source) -> list[_Line]:
    gist = summarise(source.passage, 4)
    return [
        _Line(_cut(f"- [{_label(source)}] {sentence.text}"), (2.0 if place == 0 else 1.2) + _bonus(sentence.text), 0)
        for place, sentence in enumerate(gist)
    ]


def _label(source: Source) -> str:
    return " ".join(source.name.replace("[", "(").replace("]", ")").split())[:200]


def _bonus(text: str) -> float:
    return (1.0 if _DECISION.search(text) else 0.0) + (0.3 if _FACT.search(text) else 0.0)


def _cut(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def last_instruction(items: Sequence[Item]) -> str:
    """Return the text of the last user item, or nothing."""
    return next((item.text for item in reversed(items) if isinstance(item, UserItem)), "")
