"""Text as sentences and word stems."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

_LONGEST = 600
_HEADING = re.compile(r"#{1,6}\s+(.*)")
_LIST_ITEM = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s+|\|")
_UNDERLINE = re.compile(r"[-=*_~`|:\s]{3,}")
_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\W_a-z])|[。！？]+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|capt|lt|st|no|nos|vs|etc|approx|fig|e\.g|i\.e|cf)|\b[A-Z])"
    r"\.\s*$",
    re.IGNORECASE,
)
_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[぀-ヿ㐀-鿿가-힯]|[^\W\d_][^\W_]*(?:['’][^\W_]+)?")
_REQUEST = re.compile(
    r"(?:please\s+|now\s+|then\s+|and\s+|could you\s+|can you\s+)*"
    r"(?:use|call|run|invoke|read|open|load|fetch|get|"
    r"summari[sz]e|sum up|tell|remind|wake|set|write|draft|answer|reply|say|repeat|give|list|explain|describe|"
    r"find|look up)\b",
    re.IGNORECASE,
)

STOP_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
    a about above after again against all also am an and any are as at be because been before being below between
    both but by can could did do does doing done down during each few for from further get give got had has have
    having he her here hers herself him himself his how i if in into is it its itself just let many may me might
    more most much must my myself no nor not now of off on once only or other our ours out over own please say
    same shall she should so some such tell than that the their theirs them themselves then there these they this
    those through to too under until up upon us very was we were what when where which while who whom whose why
    will with would yes you your yours don't doesn't didn't isn't what's who's it's i'm exactly according text
    document documents file note noted remember
    """,
    )
)
_NO_SUPERLATIVES = frozenset({"harvest", "interest", "request", "protest", "contest"})
_IRREGULAR = {
    "built": "build", "began": "begin", "begun": "begin", "rose": "rise", "risen": "rise", "fell": "fall", "fallen":
    "fall", "broke": "break", "broken": "break", "kept": "keep", "led": "lead", "left": "leave", "lost": "lose",
    "made": "make", "paid": "pay", "sank": "sink", "sunk": "sink", "saw": "see", "seen": "see", "sent": "send",
    "took": "take", "taken": "take", "told": "tell", "went": "go", "gone": "go", "wrote": "write", "written":
    "write", "found": "find", "brought": "bring", "bought": "buy", "came": "come", "died": "die", "dead": "die",
    "death": "die", "froze": "freeze", "frozen": "freeze", "gave": "give", "given": "give", "held": "hold", "knew":
    "know", "known": "know", "laid": "lay", "men": "man", "women": "woman", "children": "child", "feet": "foot",
    "burnt": "burn", "blew": "blow", "ran": "run", "drove": "drive", "grew": "grow", "spent": "spend", "stood":
    "stand", "chose": "choose", "chosen": "choose",
}  # fmt: skip


def words(text: str) -> list[str]:
    """Return the words and numbers of `text` in their order."""
    return _WORD.findall(text)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return what the forms of one English word share: `boats` and `boat`, `lighted` and `lighting`."""
    word = word.casefold().replace("’", "'").removesuffix("'s")
    if word[:1].isdigit():
        return word.replace(",", "")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4:
        return word
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]
    if word.endswith("ness") and len(word) > 6:
        word = word[:-4]
    elif (word.endswith("ion") and len(word) > 6) or (
        word.endswith("est") and len(word) > 6 and word not in _NO_SUPERLATIVES
    ):
        word = word[:-3]
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3 and re.search("[aeiouy]", root):
            word = root[:-1] if root[-1] == root[-2] and root[-1] not in "lsz" else root
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of the words of `text` that carry meaning."""
    return tuple(stem(word) for word in words(text) if word.casefold().replace("’", "'") not in STOP_WORDS)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, heading left out. `context` holds the stems of its heading and of the sentence before it."""

    text: str
    stems: tuple[str, ...]
    context: frozenset[str]
    opens: bool
    """Whether it is the first of its paragraph."""

    @property
    def asks(self) -> bool:
        """Whether it is a question."""
        return self.text.rstrip("\"'”’)*_ ").endswith(("?", "？"))

    @property
    def requests(self) -> bool:
        """Whether it tells someone to do something."""
        return _REQUEST.match(self.text) is not None


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that was read. `places` leads from a stem to the sentences that have it, or have it in their context."""

    title: str
    sentences: tuple[Sentence, ...]
    word_count: int
    counts: Counter[str] = field(default_factory=Counter[str])
    places: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    holders: Counter[str] = field(default_factory=Counter[str])
    """In how many sentences a stem stands."""


@lru_cache(maxsize=256)
def read(text: str) -> Passage:
    """Return `text` as sentences with an index. The last texts read are kept."""
    title, sentences = "", list[Sentence]()
    heading: tuple[str, ...] = ()
    for block in _blocks(text):
        if match := _HEADING.match(block):
            title = title or match[1].strip()
            heading = stems(match[1])
            continue
        before: tuple[str, ...] = ()
        for number, sentence in enumerate(split(block)):
            own = stems(sentence)
            sentences.append(Sentence(sentence, own, frozenset(heading + before), number == 0))
            before = own
    passage = Passage(title, tuple(sentences), len(words(text)))
    places = defaultdict[str, list[int]](list)
    for number, sentence in enumerate(sentences):
        for each in sentence.context.union(sentence.stems):
            places[each].append(number)
    passage.places.update(places)
    passage.counts.update(each for sentence in sentences for each in sentence.stems)
    passage.holders.update(each for sentence in sentences for each in set(sentence.stems))
    return passage


def split(block: str) -> Iterator[str]:
    """Yield the sentences of one paragraph, none much longer than a reader would bear."""
    start = 0
    for match in _END.finditer(block):
        if _ABBREVIATION.search(block, max(start, match.start() - 8), match.end()):
            continue
        yield from _pieces(block[start : match.end()])
        start = match.end()
    yield from _pieces(block[start:])


def _pieces(sentence: str) -> Iterator[str]:
    sentence = sentence.strip()
    while len(sentence) > _LONGEST:
        cut = sentence.rfind(" ", _LONGEST // 2, _LONGEST)
        cut = cut if cut > 0 else _LONGEST
        yield sentence[:cut].strip()
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence


def _blocks(text: str) -> Iterator[str]:
    """Yield headings, list items and paragraphs, each on one line."""
    lines = list[str]()
    for raw in text.splitlines():
        line = raw.strip()
        rule = not line or _UNDERLINE.fullmatch(line) is not None
        if lines and (rule or _HEADING.match(line) or _LIST_ITEM.match(line)):
            yield " ".join(lines)
            lines.clear()
        if rule:
            continue
        if _HEADING.match(line):
            yield line
        else:
            lines.append(line)
    if lines:
        yield " ".join(lines)
