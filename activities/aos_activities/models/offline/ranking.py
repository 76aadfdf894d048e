"""Which sentences answer a question: BM25 over stems, with proximity and the kind of answer asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aos_activities.models.offline.sources import Source
from aos_activities.models.offline.text import STOP_WORDS, Sentence, stem, stems, words

_SATURATION = 1.2
_LENGTH_WEIGHT = 0.5
_IN_CONTEXT = 0.5
_IN_TITLE = 0.4
_RELATED = 0.7
_NEAR = 4
_COVERAGE = 0.45
"""Share of a question's weight that a sentence must hold to count as an answer."""

_TITLE_WEIGHT = 0.35
_NAME_MISSING = 0.6
_ASKS_THE_SAME = 0.6
_TOLD_IN_PERSON = 1.6

_REASON = re.compile(
    r"\b(?:because|caused?|causes|since|owing|due|so that|reason|result|led to|therefore|blamed|traced)\b",
    re.IGNORECASE,
)
_KINDS = (
    (
        re.compile(r"\b(?:when|what (?:year|date|day|month)|which year)\b", re.IGNORECASE),
        re.compile(
            r"\d|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b",
            re.IGNORECASE,
        ),
    ),
    (
        re.compile(
            r"\bhow (?:many|much|long|tall|high|deep|thick|wide|far|old|heavy|big|large|fast|often)\b", re.IGNORECASE
        ),
        re.compile(
            r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|"
            r"hundred|thousand)\b",
            re.IGNORECASE,
        ),
    ),
    (re.compile(r"\b(?:who|whom|whose)\b", re.IGNORECASE), re.compile(r"(?<=[\w,;] )[A-Z]\w+|^[A-Z]\w+ [A-Z]\w+")),
    (re.compile(r"\b(?:why|what (?:caused|made|led)|reason|cause of)\b", re.IGNORECASE), _REASON),
    (
        re.compile(r"\bwhere\b", re.IGNORECASE),
        re.compile(r"\b(?:in|at|on|near|from|to|of|under|above|beside) (?:the )?[A-Z]\w+|\b(?:north|south|east|west)"),
    ),
)
"""What a question asks for, and what a sentence has that tells it."""

_ASKED = re.compile(r"\b(?:how \w+|why)\b", re.IGNORECASE)
_PERSONAL = re.compile(r"\b(?:my|mine|i|me|our|we|us)\b", re.IGNORECASE)
_RELATIONS = {
    "tall": "high height", "high": "height tall", "height": "high tall", "deep": "depth", "depth": "deep",
    "long": "length last lasted", "length": "long", "wide": "width", "heavy": "weight weigh", "far": "distance",
    "old": "age", "cost": "price paid pounds", "start": "begin opened first", "begin": "start opened",
    "build": "construct erect raised", "construct": "build", "lead": "led leader command head",
    "leader": "led command head", "captain": "master command", "die": "killed drowned lost", "kill": "died drowned",
    "like": "favourite prefer", "favourite": "like prefer", "big": "large size", "introduce": "since first began",
    "people": "men persons inhabitants", "inhabitant": "population people", "population": "inhabitants people",
    "fast": "speed knots", "job": "work trade", "live": "home house", "supply": "serve", "happen": "struck",
    "author": "written wrote", "wreck": "struck sank lost",
}  # fmt: skip
_RELATED_STEMS = {stem(word): frozenset(stems(others)) for word, others in _RELATIONS.items()}
_QUESTION_STEMS = frozenset(
    stems(
        "year date day month time name number called source quote cause reason "
        "answer reply list explain describe find show"
    )
)
_BACKWARD = re.compile(r"(?:He|She|It|They|This|These|That|Those|His|Her|Their)\b")


@dataclass(frozen=True, slots=True)
class Quote:
    """Sentences and the source that they are quoted from."""

    text: str
    source: Source
    score: float
    place: int


def answer(question: str, sources: Sequence[Source], limit: int = 1, coverage: float = _COVERAGE) -> list[Quote]:
    """Return the sentences that answer `question` best, at most `limit`, the best first; none if nothing fits."""
    terms = _terms(question)
    if not terms:
        return []
    weights = _weights(terms, sources)
    wanted = [answer_kind for question_kind, answer_kind in _KINDS if question_kind.search(question)]
    asked = [match[0].casefold() for match in _ASKED.finditer(question)]
    personal = _PERSONAL.search(question) is not None
    quotes = list[Quote]()
    for order, source in enumerate(sources):
        passage = source.passage
        title = frozenset(stems(f"{passage.title} {source.name}")) if source.kind == "document" else frozenset[str]()
        # What stands in the title tells which document is meant, and little of which sentence.
        here = {term: weight * (_TITLE_WEIGHT if term in title else 1.0) for term, weight in weights.items()}
        named = frozenset(term for term, weight in terms.items() if weight > 1.0) - title
        for place in _candidates(weights, source):
            sentence = passage.sentences[place]
            if sentence.asks or (source.kind == "user" and sentence.requests) or sentence.text == question:
                continue
            score, covered = _score(sentence, here, title)
            if covered < coverage:
                continue
            for kind in wanted:
                score *= 1.25 if kind.search(sentence.text) else 0.7
            if not named <= sentence.context.union(sentence.stems):
                score *= _NAME_MISSING
            if any(phrase in sentence.text.casefold() for phrase in asked):
                score *= _ASKS_THE_SAME
            if personal and source.kind != "document":
                score *= _TOLD_IN_PERSON
            # Of equals, what was said last counts: it may be a correction.
            quotes.append(Quote(sentence.text, source, score + order * 1e-6 + place * 1e-9, place))
    quotes.sort(key=lambda quote: -quote.score)
    kept = [quote for quote in quotes if quote.score >= quotes[0].score * 0.8][:limit]
    return [_with_neighbours(quote, _REASON in wanted) for quote in kept]


def _terms(question: str) -> dict[str, float]:
    """Return the question's stems, each with its weight: names and numbers count for more."""
    terms: dict[str, float] = {}
    for number, word in enumerate(words(question)):
        if word.casefold().replace("’", "'") not in STOP_WORDS:
            named = word[0].isdigit() or (number > 0 and word[0].isupper())
            terms.setdefault(stem(word), 1.5 if named else 1.0)
    few = {term: weight for term, weight in terms.items() if term not in _QUESTION_STEMS}
    return few or terms


def _weights(terms: dict[str, float], sources: Sequence[Source]) -> dict[str, float]:
    total = sum(len(source.passage.sentences) for source in sources)
    weights: dict[str, float] = {}
    for term, weight in terms.items():
        holders = sum(source.passage.holders[term] for source in sources)
        if not holders:
            # A related word in its place must not weigh as much as a word that stands nowhere.
            related = [
                sum(source.passage.holders[other] for source in sources) for other in _RELATED_STEMS.get(term, ())
            ]
            holders = sum(related)
        weights[term] = weight * math.log(1 + (total - holders + 0.5) / (holders + 0.5)) if holders <= total else 0.1
    return weights


def _candidates(terms: Iterable[str], source: Source) -> set[int]:
    places = source.passage.places
    found = set[int]()
    for term in terms:
        for each in (term, *_RELATED_STEMS.get(term, ())):
            found.update(places.get(each, ()))
    return found


def _score(sentence: Sentence, weights: dict[str, float], title: frozenset[str]) -> tuple[float, float]:
    """Return the sentence's score and the share of the question's weight that it holds."""
    score = covered = 0.0
    length = _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * len(sentence.stems) / 14)
    own = frozenset(sentence.stems)
    last: tuple[str, float] | None = None
    for term, weight in weights.items():
        if term in own:
            count = sentence.stems.count(term)
            score += weight * count * (_SATURATION + 1) / (count + length)
            share = 1.0
        elif _RELATED_STEMS.get(term, frozenset[str]()) & own:
            score += weight * _RELATED
            share = _RELATED
        elif term in sentence.context:
            score += weight * _IN_CONTEXT
            share = _IN_CONTEXT
        else:
            share = _IN_TITLE if term in title else 0.0
            score += weight * share
        covered += weight * share
        if share == 1.0:
            if last and _apart(sentence.stems, last[0], term) <= _NEAR:
                score += 0.25 * (last[1] + weight)
            last = term, weight
    return score, covered / (sum(weights.values()) or 1.0)


def _apart(order: tuple[str, ...], first: str, second: str) -> int:
    ones = [place for place, each in enumerate(order) if each == first]
    return min(abs(place - one) for place, each in enumerate(order) if each == second for one in ones)


def _with_neighbours(quote: Quote, reason: bool) -> Quote:
    """Return the quote with the sentence before it, if it points back there, and the next where a reason is wanted."""
    sentences, place, text = quote.source.passage.sentences, quote.place, quote.text
    if place and not sentences[place].opens and _BACKWARD.match(text):
        text = f"{sentences[place - 1].text} {text}"
    if reason and not _REASON.search(text) and place + 1 < len(sentences) and not sentences[place + 1].opens:
        text = f"{text} {sentences[place + 1].text}"
    return Quote(text, quote.source, quote.score, place)
