"""Work on what members of a team said: put it together, and hold it against documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aos_activities.models.offline.floor import PUT_TOGETHER, Said
from aos_activities.models.offline.sources import Source
from aos_activities.models.offline.summary import summarise
from aos_activities.models.offline.text import read

_APPROVAL = re.compile(r"\b(?:say|answer|reply|write)\s+[\"“'`]?(?P<word>[A-Z]{3,})\b")
_REPEAT = re.compile(r"\b(?:repeat|give back|hand on)\b", re.IGNORECASE)
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    origin: str
    """Where it is said to come from; nothing where that is not said."""

    source: str


def put_together(answers: Sequence[Said], limit: int, focus: frozenset[str]) -> str:
    """Return the best sentences of what was said as one text, with where they come from; nothing if there are none."""
    statements = _statements(answers)
    quoted = [statement for statement in statements if statement.origin] or statements
    chosen = summarise(read("\n\n".join(statement.text for statement in quoted)), limit, focus)
    if not chosen:
        return ""
    used = [statement for statement in quoted if any(sentence.text in statement.text for sentence in chosen)]
    who = _listed([statement.source for statement in used])
    origins = [statement.origin for statement in used if statement.origin]
    origin = f"what {who} quotes from {_listed(origins)}" if origins else f"what {who} said"
    return f"{' '.join(sentence.text for sentence in chosen)} ({PUT_TOGETHER} {origin})"


def check(wish: str, answers: Sequence[Said], documents: Sequence[Source]) -> tuple[str, bool]:
    """Return whether what was said stands in the documents, word for word, and whether all of it does.

    A word in capitals that `wish` wants said is said if all is well; the last answer follows if it is to be repeated.
    """
    statements = {_plain(statement.text): statement for statement in _statements(answers)}
    if not statements:
        return "There is nothing to check: nobody has stated anything.", False
    if not documents:
        return "I have read no document that this could be checked against.", False
    texts = {document.name: _plain(document.text) for document in documents}
    found = {plain: [name for name, text in texts.items() if plain in text] for plain in statements}
    missing = [statements[plain] for plain, names in found.items() if not names]
    if missing:
        lines = [f"- “{statement.text}” (said by {statement.source})" for statement in missing[:_SHOWN]]
        more = [f"- and {len(missing) - _SHOWN} more"] if len(missing) > _SHOWN else []
        return "\n".join([f"This does not stand word for word in {_listed(texts)}:", *lines, *more]), False
    where = _listed([name for names in found.values() for name in names])
    count = len(statements)
    told = "What was said stands" if count == 1 else f"All {count} statements stand"
    approval = _APPROVAL.search(wish)
    reply = f"{approval['word'] + ': ' if approval else ''}{told} word for word in {where}."
    return (f"{reply}\n\n{answers[-1].text}" if _REPEAT.search(wish) else reply), True


def _statements(answers: Sequence[Said]) -> list[_Statement]:
    found = list[_Statement]()
    for said in answers:
        found += [_Statement(text, origin, said.source) for text, origin in said.quotes]
        found += [
            _Statement(sentence.text, "", said.source)
            for sentence in read(said.own_words).sentences
            if sentence.stems and not sentence.asks
        ]
    return found


def _plain(text: str) -> str:
    return " ".join(text.split())


def _listed(names: Sequence[str] | dict[str, str]) -> str:
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} and {last}" if first else last
