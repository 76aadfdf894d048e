"""What a message wants, sentence by sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aos_activities.models.offline.text import read, words

Kind = Literal["question", "summary", "read", "compose", "check", "echo", "greeting"]

_SHORT = 150
"""Words up to which the whole of a message may be wishes; of a longer one only its first and last paragraph."""

_COURTESY = (
    r"(?:please\s+|now\s+|then\s+|and\s+|also\s+|hello,?\s+|hi,?\s+|"
    r"(?:could|can|would) you (?:please )?|i (?:want|would like|need) you to\s+)*"
)
_SUMMARY = re.compile(r"\b(?:summari[sz]e|sum up|summary|overview|key points|main points|gist|tl;?dr)\b", re.IGNORECASE)
_READ = re.compile(rf"{_COURTESY}(?:read|open|load|study|look at|go through|fetch|get|download)\b", re.IGNORECASE)
_COMPOSE = re.compile(
    rf"{_COURTESY}(?:write|draft|compose|prepare|create|generate|plan|translate|calculate|compute|draw|code)\b",
    re.IGNORECASE,
)
_CHECK = re.compile(rf"{_COURTESY}(?:check|verify|compare)\b", re.IGNORECASE)
_SAY = rf"{_COURTESY}(?:say|repeat|echo|(?:reply|respond|answer) (?:only )?(?:with|by saying))"
_NOT_LITERAL = (
    r"(?:the|an?|your|my|one|two|three|json|in|what|who|where|when|how|whether|if|why|which|that|it|some|any)\b"
)
_ECHO = re.compile(
    rf"{_SAY}(?:(?: exactly| only| just| the word| after me)+:?\s+|:\s*|\s+(?!{_NOT_LITERAL})(?=[^\n]{{1,80}}$))(.+)",
    re.IGNORECASE | re.DOTALL,
)
_ASKING = re.compile(
    rf"{_COURTESY}(?:who|whom|whose|what|what's|when|where|why|which|how|"
    r"(?:is|are|was|were|do|does|did|has|have|can|could|will|would|should) "
    r"(?=(?:you|i|we|they|he|she|it|the|there|any|my)\b)|"
    r"tell me|explain|describe|list|name|find|look up|give me|show me|answer|say)\b",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"(?:when|where|while|which|what|who|how)\b[^,?]{3,},|(?:is|are|was|were|has|have|will|can)$", re.IGNORECASE
)
_GREETING = re.compile(
    r"(?:hello|hi|hey|good (?:morning|evening|day|afternoon)|thanks|thank you|ping)\b[\s\w,]{0,20}[.!]*", re.IGNORECASE
)
_LIMIT = re.compile(
    r"\b(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)\s+(?:\w+\s+)?(?:sentences?|points?|lines?|facts?|bullets?)\b",
    re.IGNORECASE,
)
_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that a message wants. `text` is the sentence, or for `echo` what is to be said."""

    kind: Kind
    text: str

    @property
    def limit(self) -> int | None:
        """How many sentences are asked for."""
        match = _LIMIT.search(self.text)
        if match is None:
            return None
        word = match[1].lower()
        return max(1, int(word) if word.isdigit() else _NUMBERS.index(word))


def requesting_parts(message: str) -> list[str]:
    """Return the parts of a message that may ask for something: of a long one the first and the last paragraph."""
    if len(message) <= 12 * _SHORT and len(words(message)) <= _SHORT:
        return [message]
    blocks = [block for block in re.split(r"\n\s*\n", message.strip()) if block.strip()]
    ends = blocks[:1] if len(blocks) == 1 else [blocks[0], blocks[-1]]
    parts = [end for end in ends if len(end) <= 800]
    return parts or [line for line in (blocks[0].splitlines()[:1] if blocks else []) if len(line) <= 300]


def wishes(message: str) -> list[Wish]:
    """Return what `message` wants, in its order; nothing if it only informs."""
    found = list[Wish]()
    for part in requesting_parts(message):
        if match := _ECHO.fullmatch(part.strip()):
            found.append(Wish("echo", match[1].strip().strip("\"'“”")))
            continue
        for sentence in read(part).sentences:
            kind = _kind(sentence.text, sentence.asks)
            if kind and not (kind == "greeting" and found):
                found.append(Wish(kind, sentence.text))
    serious = [wish for wish in found if wish.kind != "greeting"]
    return serious or (found if len(words(message)) < 12 else [])


def _kind(text: str, asks: bool) -> Kind | None:
    if _GREETING.fullmatch(text):
        return "greeting"
    if _SUMMARY.search(text) and (asks or not re.match(r"(?:the|this|a|here|my|our)\b", text, re.IGNORECASE)):
        return "summary"
    if asks:
        return "question"
    if _READ.match(text):
        return "read"
    if _COMPOSE.match(text):
        return "compose"
    if _CHECK.match(text):
        return "check"
    if _ASKING.match(text) and not _STATEMENT.match(text):
        return "question"
    return None
