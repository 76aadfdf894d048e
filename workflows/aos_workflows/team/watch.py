"""One condition of a termination, watched: what it has counted, and whether it has held."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pydantic import Field

from aos.conversation import Usage
from aos.limits import clip
from aos.termination import (
    External,
    Function,
    FunctionCall,
    Handoff,
    MaxMessages,
    Money,
    NoProgress,
    Source,
    StopMessage,
    Termination,
    TextMention,
    TextMessage,
    TokenUsage,
)
from aos.wire import Wire
from aos_workflows.team.course import USER, Said

REMEMBERED = 500
"""Texts that `NoProgress` compares with, the newest ones of a task."""

UNASKED = 100
"""Messages that a function is told of in one question, the newest ones."""

MILLION = 1_000_000


class Watch(Wire):
    """What one condition has counted. `why` is set once it has held, and `held_at` is the look at which it did.

    `told` are short digests of the texts that were said; `unasked` is what a function was not yet asked about, the
    first `asking` of which it is being asked about.
    """

    why: str = ""
    held_at: int = 0
    messages: int = 0
    usage: Usage = Field(default_factory=Usage)
    told: list[str] = Field(default_factory=list[str])
    unasked: list[Said] = Field(default_factory=list[Said])
    asking: int = 0

    def hold(self, why: str, look: int) -> None:
        """The condition holds, and has for good."""
        self.why, self.held_at = why, look

    def take_in(self, condition: Termination, said: Sequence[Said], *, outside: bool, look: int) -> None:
        """Count what was said since the last look, and see whether the condition holds."""
        match condition:
            case External():
                why = "it was ended from outside" if outside else ""
            case Function():
                why = ""
                self.unasked = _newest([*self.unasked, *said], self.asking)
            case Money(dollars=dollars):
                self.usage = sum((line.usage for line in said), self.usage)
                spent = self.usage.cost / MILLION
                why = f"it cost ${spent:g}, of ${dollars:g}" if spent >= dollars else ""
            case _:
                why = next((why for line in said if (why := self._why(condition, line))), "")
        if why:
            self.hold(why, look)

    def _why(self, condition: Termination, said: Said) -> str:  # noqa: C901 - one case a condition
        match condition:
            case MaxMessages(count=count):
                self.messages += 1
                return f"{count} messages were said" if self.messages >= count else ""
            case TextMention(text=text, sources=sources):
                mentioned = text in said.text and (not sources or said.source in sources)
                return f"{said.source} mentioned {clip(text)!r}" if mentioned else ""
            case TextMessage(source=source):
                plain = not said.handoff and not said.stop
                meant = said.source == source if source else said.source != USER
                return f"{said.source} answered with a text" if plain and meant else ""
            case StopMessage():
                return f"{said.source} said that the task is done" if said.stop else ""
            case Handoff(target=target):
                return f"{said.source} handed on to {target}" if said.handoff == target else ""
            case Source(sources=sources):
                return f"{said.source} spoke" if said.source in sources else ""
            case FunctionCall(function=function):
                called = _short(function) in [_short(name) for name in said.called]
                return f"{said.source} called {function}" if called else ""
            case TokenUsage():
                self.usage += said.usage
                return _too_many(condition, self.usage)
            case NoProgress(messages=most):
                old = self._was_said(said.text)
                if said.source != USER:
                    self.messages = self.messages + 1 if old else 0
                return f"the last {most} messages brought nothing new" if self.messages >= most else ""
            case _:
                return ""

    def _was_said(self, text: str) -> bool:
        """Whether the same was said before, but for case and spaces; it has been now."""
        digest = hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:12]
        before = digest in self.told
        if not before:
            self.told.append(digest)
            del self.told[:-REMEMBERED]
        return before


def _short(tool: str) -> str:
    """Return the name of a tool as models see it."""
    return tool.rpartition("/")[2]


def _too_many(limit: TokenUsage, usage: Usage) -> str:
    counts = (
        (limit.total, usage.input_tokens + usage.output_tokens, "tokens"),
        (limit.input, usage.input_tokens, "input tokens"),
        (limit.output, usage.output_tokens, "output tokens"),
    )
    return next(
        (f"{count} {what} were used, of {most}" for most, count, what in counts if most is not None and count >= most),
        "",
    )


def _newest(said: list[Said], asking: int) -> list[Said]:
    """Return `said` with the oldest left out where there are too many, but none that is being asked about."""
    return [*said[:asking], *said[asking:][-UNASKED:]]
