"""What the offline model answers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from aos.conversation import ToolItem
from aos.errors import TerminalModelError
from aos.provider import ModelRequest
from aos_activities.models.offline.arguments import FILE, URL
from aos_activities.models.offline.facts import Facts
from aos_activities.models.offline.ranking import answer
from aos_activities.models.offline.said import check, put_together
from aos_activities.models.offline.sources import LISTING, OWN_MESSAGE, Source, gather, page_of
from aos_activities.models.offline.structured import Unfit, fit
from aos_activities.models.offline.summary import key_terms, last_instruction, summarise, summarise_conversation
from aos_activities.models.offline.text import Passage, read, stems
from aos_activities.models.offline.toolcalls import Call, Plan, plan, wants_all_documents
from aos_activities.models.offline.turn import Turn, turn_of
from aos_activities.models.offline.wishes import Wish, wishes

_COMPACTION = re.compile(
    r"\W*(?:please )?summari[sz]e (?:the|this|our) (?:whole |entire |older part of the )?conversation\b", re.IGNORECASE
)
_ONE_SUMMARY, _EACH_SUMMARY, _LONGEST_SUMMARY = 5, 3, 12
_ASKED_FOR = frozenset(stems("summarise summary sentences points overview write draft compose prepare report"))
_THEN = re.compile(
    r"(?:,\s*|\s+and\s+)(?:and\s+)?(?:then\s+)?(?=(?:tell me|answer|summari[sz]e|explain|give me)\b)", re.IGNORECASE
)
_INLINE_RESULT = 1500
_LONG_MESSAGE = 60
_CANNOT = (
    "I am the offline model: I answer from what I was told or have read, I shorten it, and I call tools. "
    "I found nothing here to do that with: {wish}"
)
_HELLO = (
    "Hello. This is the offline model: it answers from what you tell it and from documents it reads, "
    "in their own words."
)


@dataclass(slots=True)
class Answer:
    """A reply in words, or tools to call."""

    text: str = ""
    calls: list[Call] = field(default_factory=list[Call])
    found: bool = True


def respond(request: ModelRequest) -> Answer:
    """Return the answer to `request`, from its system text, items, tools and schema alone.

    Raises:
        TerminalModelError: No JSON could be made that fits the request's schema.
    """
    instruction = last_instruction(request.items)
    if _COMPACTION.match(request.system):
        return Answer(summarise_conversation(request.items))
    if _COMPACTION.match(instruction):
        reply = Answer(summarise_conversation(request.items, instruction))
        return _as_json(request, instruction, reply) if request.output_schema else reply
    turn = turn_of(request.items)
    planned = plan(turn, request.tools, gather(turn.before))
    if planned.calls:
        return Answer(calls=planned.calls)
    reply = _reply(turn, planned, gather(request.items))
    return _as_json(request, turn.text, reply) if request.output_schema is not None else reply


def _as_json(request: ModelRequest, question: str, reply: Answer) -> Answer:
    schema = request.output_schema or {}
    asked = " ".join(wish.text for wish in wishes(question)) or question
    try:
        value = fit(schema, Facts(asked, reply.text, gather(request.items), reply.found))
    except Unfit as error:
        raise TerminalModelError(
            "offline", request.model, f"could not make JSON that fits the schema: {error}",
            "simplify the schema, or use a model of another provider",
        ) from None  # fmt: skip
    return Answer(json.dumps(value, ensure_ascii=False), found=reply.found)


def _reply(turn: Turn, planned: Plan, sources: Sequence[Source]) -> Answer:
    wanted = [wish for message in turn.messages for wish in wishes(message) if wish.text not in planned.handled]
    wanted += [wish for sentence in planned.handled for tail in _THEN.split(sentence)[1:] for wish in wishes(tail)]
    told = _told_results(turn, wanted)
    parts, found = [*planned.questions, *told], bool(told)
    for wish in wanted:
        text, success = _fulfil(wish, turn, sources)
        found = found or success
        if text and text not in parts:
            parts.append(text)
    if not parts:
        parts.append(_acknowledge(turn))
        found = True
    return Answer("\n\n".join(parts), found=found)


def _told_results(turn: Turn, wanted: Sequence[Wish]) -> list[str]:
    """Return what is to be said of the turn's results: errors always, documents only where nothing else is asked."""
    calls = {call.id: call for call in turn.calls}
    fresh = list[str]()
    documents = dict[str, Source]()
    for result in turn.results:
        if result.error:
            fresh.append(f"{result.name} failed: {result.text}")
        elif page_of(result) or len(result.text) > _INLINE_RESULT:
            documents.update(_documents(result, turn))
        elif result.call_id in calls and not (result.name == LISTING and wants_all_documents(turn)):
            fresh.append(_as_said(result))
    answered = ("question", "summary", "compose", *(("check",) if turn.answers else ()))
    if not any(wish.kind in answered for wish in wanted):
        fresh += [f"I have read {source.name}: {_described(source.passage)}" for source in documents.values()]
    return list(dict.fromkeys(fresh))


def _as_said(result: ToolItem) -> str:
    return f"{result.name}: {result.text.strip() or 'done, without a result'}"


def _documents(result: ToolItem, turn: Turn) -> dict[str, Source]:
    page = page_of(result)
    every = gather(turn.results)
    return {source.name: source for source in every if page is None or source.name == page.path}


def _fulfil(wish: Wish, turn: Turn, sources: Sequence[Source]) -> tuple[str, bool]:
    """Return what answers one wish, and whether something was found for it."""
    if wish.kind == "greeting":
        return ("You are welcome." if wish.text[:5].casefold() == "thank" else _HELLO), True
    if wish.kind == "echo":
        return wish.text, True
    if wish.kind == "read":
        missing = [place for place in _places(wish.text) if not any(source.is_called(place) for source in sources)]
        return (f"I have no tool that reads {', '.join(missing)}." if missing and not turn.calls else ""), False
    if wish.kind == "question":
        return _quoted(wish, sources)
    if wish.kind == "check":
        documents = [source for source in sources if source.kind == "document"]
        return check(turn.text, turn.answers, documents) if turn.answers else ("", False)
    if turn.answers and not _places(wish.text):
        text = put_together(turn.answers, wish.limit or _ONE_SUMMARY, frozenset(stems(wish.text)) - _ASKED_FOR)
        return (text, True) if text else (_CANNOT.format(wish=wish.text), False)
    return _summarised(wish, turn, sources)


def _quoted(wish: Wish, sources: Sequence[Source]) -> tuple[str, bool]:
    named = [source for source in sources if any(source.is_called(place) for place in _places(wish.text))]
    question = FILE.sub(" ", wish.text) if named else wish.text
    quotes = answer(question, named or sources, limit=wish.limit or 1)
    if not quotes:
        where = ", ".join(dict.fromkeys(source.name for source in sources if source.kind == "document"))
        return f"I found nothing that answers “{wish.text}” in {where or 'what I was told so far'}.", False
    return "\n".join(f"“{quote.text}” (from {quote.source.name})" for quote in quotes), True


def _summarised(wish: Wish, turn: Turn, sources: Sequence[Source]) -> tuple[str, bool]:
    chosen = _meant(wish, turn, sources)
    focus = frozenset(stems(FILE.sub(" ", URL.sub(" ", wish.text)))) - frozenset(_ASKED_FOR)
    if wish.kind == "compose":
        chosen = [source for source in chosen if any(source.passage.counts[term] for term in focus)]
    if not chosen:
        return _CANNOT.format(wish=wish.text), False
    limit = min(wish.limit or (_ONE_SUMMARY if len(chosen) == 1 else _EACH_SUMMARY), _LONGEST_SUMMARY)
    texts = list[str]()
    for source in chosen:
        title = f" ({source.passage.title})" if source.passage.title not in ("", source.name) else ""
        named = frozenset(stems(source.passage.title))
        only_focus = wish.kind == "compose" and bool(focus - named)
        sentences = [each.text for each in summarise(source.passage, limit, focus - named, only_focus=only_focus)]
        if turn.in_team:
            texts += [f"“{sentence}” (from {source.name})" for sentence in sentences]
        elif sentences:
            texts.append(f"Summary of {source.name}{title}: {' '.join(sentences)}")
    return "\n\n".join(texts) or _CANNOT.format(wish=wish.text), bool(texts)


def _meant(wish: Wish, turn: Turn, sources: Sequence[Source]) -> list[Source]:
    """Return what a summary is wanted of: what it names, else what came with it, else all that was read or told."""
    if places := _places(wish.text):
        return [source for source in sources if any(source.is_called(place) for place in places)]
    if turn.results and (fresh := gather(turn.results)):
        paths = {source.name for source in fresh}
        return [source for source in sources if source.name in paths] or fresh
    body = "\n\n".join(message.replace(wish.text, "") for message in turn.messages)
    if read(body).word_count > _LONG_MESSAGE or (len(turn.messages) == 1 and len(read(body).sentences) > 2):
        return [Source(OWN_MESSAGE, "user", body)]
    documents = [source for source in sources if source.kind == "document"]
    if documents:
        asked = frozenset(stems(wish.text))
        return [source for source in documents if asked & frozenset(stems(source.passage.title))] or documents
    return [source for source in sources if source.text not in turn.messages]


def _places(text: str) -> list[str]:
    urls = [match[0] for match in URL.finditer(text)]
    return urls + [match[0] for match in FILE.finditer(URL.sub(" ", text))]


def _acknowledge(turn: Turn) -> str:
    if not turn.messages:
        return "The offline model was asked nothing."
    return f"Noted by the offline model: {_described(read(turn.text))}"


def _described(passage: Passage) -> str:
    count = f"{passage.word_count:,} word{'' if passage.word_count == 1 else 's'}"
    terms = ", ".join(key_terms(passage))
    first = next((sentence.text for sentence in passage.sentences), "")
    title = f"“{passage.title}”, " if passage.title else ""
    return (
        f"{title}{count}"
        + (f"; key terms: {terms}" if terms else "")
        + (f"; it begins: “{first}”" if first else "")
        + "."
    )
