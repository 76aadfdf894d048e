"""What is known about a reply, by the names that fields of JSON use for it."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from aos_activities.models.offline.ranking import answer
from aos_activities.models.offline.sources import Source
from aos_activities.models.offline.summary import key_terms, summarise
from aos_activities.models.offline.text import Passage, read, split, words

_MONTHS = [month.casefold() for month in calendar.month_name[1:]]
_DATE = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}})\b", re.IGNORECASE)
_ISO_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:,\d{3})*(?:\.\d{1,15})?(?!\w)")
_SUMMARY_POINTS = 3
_LEAST = 0.3


@dataclass(frozen=True)
class Facts:
    """The reply in words, the question that it answers, and what it was taken from."""

    question: str
    reply: str
    sources: Sequence[Source]
    found: bool
    """Whether the reply rests on something that was read."""

    @cached_property
    def _read(self) -> Sequence[Source]:
        documents = [source for source in self.sources if source.kind == "document"]
        quoted = [source for source in documents if source.name in self.reply]
        return quoted or documents or self.sources

    @cached_property
    def _passage(self) -> Passage:
        return read("\n\n".join(source.text for source in self._read))

    @cached_property
    def points(self) -> list[str]:
        """The sentences of a short summary."""
        return [sentence.text for sentence in summarise(self._passage, _SUMMARY_POINTS)] or [self.reply]

    def about(self, field: str) -> str:
        """Return the sentence that fits a field of this name best, or nothing."""
        quotes = answer(f"{self.question} {field}", self.sources, coverage=_LEAST) or answer(
            field, self.sources, coverage=_LEAST
        )
        return quotes[0].text if quotes else ""

    def texts(self, name: str) -> list[str]:
        """Return texts for a field called `name`, the best first."""
        name = name.casefold()
        source = next((each.name for each in self._read), "your message")
        titles = [each.passage.title for each in self._read if each.passage.title]
        known: tuple[tuple[str, Callable[[], list[str]]], ...] = (
            (r"summary|overview|abstract|gist", lambda: [" ".join(self.points)]),
            (r"points|facts|findings|sentences|highlights", lambda: self.points),
            (r"answer|reply|response|message|text|result|content|output|reason|explanation", lambda: [self.reply]),
            (r"sources?$|document|path|file", lambda: [each.name for each in self._read] or [source]),
            (r"title|subject|heading", lambda: titles or [source]),
            (r"question|query", lambda: [self.question]),
            (r"keyword|tags?$|terms?$|topics?$", lambda: key_terms(self._passage)),
        )
        found = [text for pattern, texts in known if re.search(pattern, name) for text in texts()]
        sentence = "" if found else self.about(_spoken(name))
        return [text for text in (*found, sentence, self.reply, *self.points) if text]

    def dates(self, name: str) -> list[str]:
        """Return dates as `YYYY-MM-DD`, from the best sentence first."""
        text = f"{self.about(_spoken(name))} {self.reply}"
        written = [
            f"{match[3]}-{_MONTHS.index(match[2].lower()) + 1:02}-{int(match[1]):02}"
            for match in _DATE.finditer(text)
            if 0 < int(match[1]) <= 28 or (int(match[1]) <= 30 and match[2].lower() != "february")
        ]
        return [match[0] for match in _ISO_DATE.finditer(text)] + written

    def numbers(self, name: str) -> list[float]:
        """Return numbers from the reply and the best sentence, those with the field's unit first."""
        asked = {word.casefold() for word in words(_spoken(name))}
        units, others = list[float](), list[float]()
        known = {match[0] for match in _NUMBER.finditer(self.question)}
        for text in (self.reply, self.about(_spoken(name))):
            for match in _NUMBER.finditer(text):
                after = words(text[match.end() : match.end() + 30])[:1]
                value = float(match[0].replace(",", ""))
                fits = (after and after[0].casefold() in asked) or (
                    "year" in asked and re.fullmatch(r"1\d{3}|20\d{2}", match[0])
                )
                if match[0] not in known:
                    (units if fits else others).append(value)
        return units + others

    def mentioned(self, option: str) -> bool:
        """Return whether the reply or the question has `option` as a word."""
        return (
            re.search(rf"(?<!\w){re.escape(option)}(?!\w)", f"{self.reply}\n{self.question}", re.IGNORECASE) is not None
        )

    def words_of(self, limit: int = 200) -> list[str]:
        """Return single words that a pattern may ask for."""
        return [word.strip(".,;:!?()\"'“”") for word in f"{self.question} {self.reply}".split()][:limit]


def _spoken(name: str) -> str:
    return " ".join(split(re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-.]+", " ", name)))
