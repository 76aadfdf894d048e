"""Which tools a message wants run. Only what users say counts: a tool's result never starts a call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from aos.conversation import ToolItem
from aos.provider import ToolSchema
from aos_activities.models.offline.arguments import FILE, URL, fill, seconds_in, zone_in
from aos_activities.models.offline.shapes import Json, entry, mapping, names
from aos_activities.models.offline.sources import LISTING, Source, page_of
from aos_activities.models.offline.text import read, stems
from aos_activities.models.offline.turn import NEEDS, Turn
from aos_activities.models.offline.wishes import requesting_parts, wishes

PAGES_AT_ONCE = 12
"""Most pages of one document that are read for one message."""

DOCUMENTS_AT_ONCE = 20
"""Most documents that are read for one message that names none."""

_DOCUMENTS = re.compile(r"\bdocuments\b", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:us(?:e|ing)|call(?:ing)?|run(?:ning)?|invoke|execute|try|apply|start|with|via|through|tool)\b", re.IGNORECASE
)
_REFUSAL = re.compile(
    r"\b(?:do not|don't|don’t|never|without|not to|must not|no need to|stop)\b[^.!?\n]*$", re.IGNORECASE
)
_TIME = re.compile(
    r"\bwhat (?:time|day|date) is it\b|"
    r"\bwhat(?:'s|’s| is) (?:the |today(?:'s|’s) )?"
    r"(?:current |exact )?(?:time|date)"
    r"(?: and (?:the )?(?:time|date))?(?: is it)?(?: right)?(?: now| today| in [\w/ ]+)*\s*[?.!]*$|"
    r"\b(?:current (?:time|date)|the time now|what day is (?:it|today)|today's date)\b|"
    r"\btell me the (?:current )?(?:time|date)\b",
    re.IGNORECASE,
)
_TIMER = re.compile(
    r"\b(?:remind me|wake(?: me| yourself)?(?: up)?|"
    r"set (?:an?|the|yourself an?)? ?(?:\w+[ -])?(?:timer|alarm|reminder)|alert me|"
    r"come back)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"\b(?:to|that|about|because|:)\s*(.+)", re.IGNORECASE | re.DOTALL)
_GENERIC = frozenset(stems("get fetch find lookup look search run make create do read set add list show new current"))

Call = tuple[str, dict[str, Json]]


@dataclass(slots=True)
class Plan:
    """Calls to make now, questions for what is missing, and the sentences that were wishes for a tool's result."""

    calls: list[Call] = field(default_factory=list[Call])
    questions: list[str] = field(default_factory=list[str])
    handled: list[str] = field(default_factory=list[str])

    def add(self, name: str, arguments: dict[str, Json]) -> None:
        """Add a call, unless it is there."""
        if (name, arguments) not in self.calls:
            self.calls.append((name, arguments))


def plan(turn: Turn, tools: Sequence[ToolSchema], known: Sequence[Source]) -> Plan:
    """Return what is to be called for the turn's messages and was not called yet.

    `known` is what had been read before the turn; a document in it is read again only where that is asked for.
    """
    wanted = Plan()
    offered = {tool.name: tool for tool in tools}
    for message in turn.messages:
        for part in requesting_parts(message):
            named = _named(part, message, offered, wanted)
            for sentence in read(part).sentences:
                if sentence.text not in wanted.handled:
                    _needed(sentence.text, sentence.asks or sentence.requests, offered, known, wanted, named)
    _all_documents(turn, offered, known, wanted)
    wanted.calls = [call for call in wanted.calls if not turn.has_called(*call)]
    _next_pages(turn, offered, wanted)
    return wanted


def _named(part: str, message: str, offered: dict[str, ToolSchema], wanted: Plan) -> bool:
    """Plan the calls of tools that `part` names; return whether there were any."""
    found = sorted(
        (match.start(), match.end(), name)
        for name in offered
        for match in re.finditer(rf"(?<![\w./-]){re.escape(name).replace('_', r'[_ ]')}(?![\w-])", part, re.IGNORECASE)
        if _is_wanted(part, match, name)
    )
    found = [each for each in found if not any(other[0] <= each[0] and each[1] < other[1] for other in found)]
    for number, (_, end, name) in enumerate(found):
        following = found[number + 1][0] if number + 1 < len(found) else None
        segment = part[end:following] if following is not None else (message[message.find(part) + end :])
        filled = fill(offered[name].parameters, segment)
        if filled.missing and number == 0 and found[0][0] > 0:
            filled = fill(offered[name].parameters, f"{segment}\n{_before(part, found[0][0])}")
        if filled.missing:
            wanted.questions.append(_question(offered[name], filled.missing))
        else:
            wanted.add(name, filled.arguments)
    for sentence in read(part).sentences:
        if any(part[start:end] in sentence.text for start, end, _ in found):
            wanted.handled.append(sentence.text)
    return bool(found)


def _is_wanted(part: str, match: re.Match[str], name: str) -> bool:
    start = max((part.rfind(stop, 0, match.start()) + 1 for stop in ("\n", ". ", "! ", "? ")), default=0)
    before = part[start : match.start()]
    if _REFUSAL.search(before):
        return False
    if "_" in name and "_" not in match[0] and not re.match(r"\s+tool\b", part[match.end() :]):
        return False
    return (
        _VERB.search(before) is not None
        or (match[0] == name and not before.strip(" `*\"'-"))
        or part[match.end() : match.end() + 1] == "("
    )


def _before(part: str, end: int) -> str:
    return re.sub(
        r"\b(?:please|use|using|call|run|invoke|the|tool|with)\s*$", "", part[:end].strip(" `"), flags=re.IGNORECASE
    )


def _needed(
    text: str, asks: bool, offered: dict[str, ToolSchema], known: Sequence[Source], wanted: Plan, named: bool
) -> None:
    """Plan the calls that one sentence plainly needs, though it names no tool."""
    if _TIMER.search(text) and "set_timer" in offered:
        _plan_timer(text, offered["set_timer"], wanted)
    elif _TIME.search(text) and "current_time" in offered:
        zone = zone_in(text)
        wanted.add("current_time", {"timezone": zone} if zone else {})
        wanted.handled.append(text)
    elif not named:
        _plan_reading(text, asks, offered, known, wanted)
        if asks and text not in wanted.handled:
            _plan_by_name(text, offered, wanted)


def _plan_timer(text: str, tool: ToolSchema, wanted: Plan) -> None:
    wanted.handled.append(text)
    seconds = seconds_in(text)
    if seconds is None:
        wanted.questions.append(_question(tool, ["seconds"]))
        return
    rest = _TIMER.sub(" ", text, count=1)
    about = _ABOUT.search(rest)
    what = (about[1] if about else "").strip(" .!?\"'")
    if seconds_in(what):
        what = re.split(r"\s+(?:in|after)\s+(?=(?:half an?|\S+)[\s-]*(?:sec|min|hour|hr|day|week))", what)[0]
    wanted.add(
        tool.name, {"seconds": int(seconds) if seconds.is_integer() else seconds, "text": what or "The time is up."}
    )


def _plan_reading(text: str, asks: bool, offered: dict[str, ToolSchema], known: Sequence[Source], wanted: Plan) -> None:
    urls = [match[0] for match in URL.finditer(text)]
    files = [match[0] for match in FILE.finditer(URL.sub(" ", text))]
    alone = text.strip(" .!") in (*urls, *files)
    again = re.match(r"\W*(?:please )?(?:re-?read|read|open|load|fetch|get)\b", text, re.IGNORECASE) is not None
    if not (asks or alone or wishes(text)):
        return
    for tool, argument, places in (("read_document", "path", files), ("fetch_url", "url", urls)):
        for place in places if tool in offered else ():
            if again or not any(source.is_called(place) for source in known if source.kind == "document"):
                wanted.add(tool, {argument: place})


def _plan_by_name(text: str, offered: dict[str, ToolSchema], wanted: Plan) -> None:
    """Plan the call of a tool whose whole name is in the words of a request, if all that it requires is there too."""
    said = frozenset(stems(text))
    for tool in offered.values():
        name = frozenset(stems(re.sub(r"[_.-]+", " ", tool.name)))
        if (
            tool.name in ("read_document", "fetch_url", "set_timer", "current_time")
            or not name - _GENERIC
            or not name - _GENERIC <= said
        ):
            continue
        position = max(
            (
                text.lower().find(word) + len(word)
                for word in re.split(r"[_.-]", tool.name.lower())
                if word in text.lower()
            ),
            default=0,
        )
        filled = fill(tool.parameters, text[position:])
        if not filled.missing:
            wanted.add(tool.name, filled.arguments)
            wanted.handled.append(text)


def _all_documents(turn: Turn, offered: dict[str, ToolSchema], known: Sequence[Source], wanted: Plan) -> None:
    """Plan to list the documents, and then to read those that are new, where a wish is for documents in general."""
    if LISTING not in offered or "read_document" not in offered or not wants_all_documents(turn):
        return
    wanted.add(LISTING, {})
    read_already = {source.name for source in known if source.kind == "document"}
    for name in listed_documents(turn.results)[:DOCUMENTS_AT_ONCE]:
        if name not in read_already:
            wanted.add("read_document", {"path": name})


def wants_all_documents(turn: Turn) -> bool:
    """Whether the turn is to read whatever documents there are."""
    return any(
        wish.kind in ("read", "check") and _DOCUMENTS.search(wish.text) and not FILE.search(URL.sub(" ", wish.text))
        for message in turn.messages
        for wish in wishes(message)
    )


def listed_documents(results: Sequence[ToolItem]) -> list[str]:
    """Return the documents that the tool has listed, by their paths."""
    return [
        line
        for result in results
        if result.name == LISTING and not result.error
        for line in result.text.splitlines()
        if line and not line.startswith("(")
    ]


def _next_pages(turn: Turn, offered: dict[str, ToolSchema], wanted: Plan) -> None:
    """Plan the next page of each document of which the turn read a page, unless a single page was asked for."""
    calls = {call.id: call for call in turn.calls}
    read_so_far: dict[str, int] = {}
    for result in turn.results:
        call, page = calls.get(result.call_id), page_of(result)
        if call is None or page is None or call.name not in offered or page.next is None or page.next <= page.start:
            continue
        read_so_far[page.path] = read_so_far.get(page.path, 0) + 1
        arguments: dict[str, Json] = {**call.arguments, "offset": page.next}
        one_page = re.search(r"\boffset\b", turn.text, re.IGNORECASE) is not None
        if not one_page and read_so_far[page.path] < PAGES_AT_ONCE and not turn.has_called(call.name, arguments):
            wanted.add(call.name, arguments)


def _question(tool: ToolSchema, missing: list[str]) -> str:
    properties = mapping(entry(tool.parameters, "properties"))
    described = list[str]()
    for name in missing:
        part = mapping(properties.get(name))
        kind = part.get("type")
        about = part.get("description")
        kinds = " or ".join(names(kind)) if isinstance(kind, list) else str(kind or "any value")
        described.append(f"`{name}` ({kinds}{f': {about}' if isinstance(about, str) and about else ''})")
    example = ", ".join(f"{name}=..." for name in missing)
    return f"{NEEDS}{tool.name}` I need {' and '.join(described)}. Please give it as `{example}`."
