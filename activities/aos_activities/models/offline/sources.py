"""What a conversation holds that can be quoted, and by what name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aos.conversation import AssistantItem, Item, SummaryItem, ToolCall, ToolItem, UserItem
from aos_activities.models.offline.floor import TASK, Said, floor_of
from aos_activities.models.offline.text import Passage, read

_HEADER = re.compile(
    r"\[path: (?P<path>[^\n]+?), bytes (?P<start>\d+)-(?P<stop>\d+) of (?P<size>\d+), "
    r"(?:next offset (?P<next>\d+)|the end)\]\r?\n?"
)
_SUMMARY_LINE = re.compile(r"- \[(?P<source>[^\]\n]{1,200})\] (?P<text>.+)")

_PASTED = 60
"""Words from which on a message with a title counts as a document."""

OWN_MESSAGE = "your message"
LISTING = "list_documents"
"""The tool whose result says what can be read, and nothing that answers a question."""

RESULT_OF = "the result of "
EARLIER = "the earlier conversation"


@dataclass(frozen=True, slots=True)
class Source:
    """A text and where it comes from."""

    name: str
    kind: Literal["document", "result", "user", "summary"]
    text: str

    @property
    def passage(self) -> Passage:
        """The text, split into sentences."""
        return read(self.text)

    def is_called(self, name: str) -> bool:
        """Return whether `name` is this source's path, or the last part of it."""
        return self.name == name or self.name.rpartition("/")[2] == name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Page:
    """One part of a document, as the tool that reads documents hands it over. Places are in bytes."""

    path: str
    start: int
    stop: int
    next: int | None
    text: str


def page_of(result: ToolItem) -> Page | None:
    """Return the page in a tool's result, or None if the result is none."""
    match = _HEADER.match(result.text)
    if match is None or result.error:
        return None
    following = int(match["next"]) if match["next"] else None
    return Page(match["path"], int(match["start"]), int(match["stop"]), following, result.text[match.end() :])


def gather(items: Sequence[Item]) -> list[Source]:
    """Return everything that was told or read, in its order; the pages of one document are one source.

    What the model itself said is left out, and so are errors.
    """
    calls: dict[str, ToolCall] = {}
    found: dict[str, Source] = {}
    pages: dict[str, dict[int, Page]] = {}
    for number, item in enumerate(items):
        if isinstance(item, AssistantItem):
            calls.update((call.id, call) for call in item.tool_calls)
        elif isinstance(item, UserItem):
            found.update((f"item {number}.{place}", source) for place, source in enumerate(_told(item)))
        elif isinstance(item, SummaryItem):
            for place, source in enumerate(_summarised(item.text)):
                found[f"item {number}.{place}"] = source
        elif isinstance(item, ToolItem) and not item.error and item.name != LISTING:
            if page := page_of(item):
                pages.setdefault(page.path, {})[page.start] = page
                found[f"path {page.path}"] = Source(page.path, "document", _joined(pages[page.path]))
            else:
                source = _result(item, calls.get(item.call_id))
                found[f"path {source.name}" if source.kind == "document" else f"item {number}"] = source
    return list(found.values())


def _told(item: UserItem) -> list[Source]:
    if floor := floor_of(item):
        return [source for said in floor.said for source in _said(said)] or [Source("the team", "user", floor.rest)]
    passage = read(item.text)
    if passage.title and passage.word_count > _PASTED:
        return [Source(passage.title, "document", item.text)]
    return [Source(f"a message from {item.sender}" if item.sender else OWN_MESSAGE, "user", item.text)]


def _said(said: Said) -> list[Source]:
    if said.source == TASK:
        return [Source("the task", "user", said.text)]
    quotes = [Source(f"{origin}, as {said.source} quotes it", "user", text) for text, origin in said.quotes]
    rest = [Source(f"what {said.source} said", "user", said.own_words)] if said.own_words else []
    return [*quotes, *rest]


def _summarised(text: str) -> list[Source]:
    """Return the sources that an own summary names line by line; any other summary is one source."""
    sources, rest = dict[str, list[str]](), list[str]()
    for line in text.splitlines():
        if match := _SUMMARY_LINE.fullmatch(line.strip()):
            sources.setdefault(match["source"], []).append(match["text"])
        else:
            rest.append(line)
    found = [Source(name, "summary", "\n\n".join(lines)) for name, lines in sources.items()]
    return found or [Source(EARLIER, "summary", "\n".join(rest))]


def _result(item: ToolItem, call: ToolCall | None) -> Source:
    for name in ("path", "url"):
        value = call.arguments.get(name) if call else None
        if isinstance(value, str) and value:
            return Source(value, "document", item.text)
    return Source(RESULT_OF + item.name, "result", item.text)


def _joined(pages: dict[int, Page]) -> str:
    text, end = "", 0
    for _, page in sorted(pages.items()):
        # Pages that follow each other are joined as they are: a sentence may run across.
        text += page.text if page.start == end or not text else "\n\n" + page.text
        end = page.stop
    return text
