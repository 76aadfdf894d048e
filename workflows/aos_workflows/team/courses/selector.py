"""Selector: a model, or a function of an application, says who speaks next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import Field, JsonValue

from aos.strategy import Selector
from aos_workflows.team.course import Answer, Card, Consult, Finish, Move, Said
from aos_workflows.team.courses.base import Base, failed, listed, names, present
from aos_workflows.team.courses.thread import Thread, shortened

PROMPT = """Several participants work together in one conversation. You decide which of them speaks next.

They are:
{roles}

This is the conversation so far:

{history}

Who of [{participants}] should speak next? Answer with that name and with nothing else."""

ANSWER_CHARS = 500
"""How much of an answer that named nobody, or several, the model is shown again."""


class SelectorCourse(Base):
    """Each turn is a choice, which has up to three steps: the function, the candidates, the model.

    `step` is the one under way. `options` are those whom the choice is between, where a function of candidates named
    them; `objections` is what the model answered to this choice that was no choice, and what was said to it.
    """

    type: Literal["selector"] = "selector"
    strategy: Selector
    natural: bool = False
    thread: Thread = Field(default_factory=Thread)
    previous: str = ""
    step: Literal["", "function", "candidates", "model"] = ""
    options: list[str] | None = None
    attempts: int = 0
    objections: list[str] = Field(default_factory=list[str])

    def begin(self, task: Said, cards: Sequence[Card]) -> Move:
        """Choose who begins."""
        self.thread.add(task)
        return self._choose(cards)

    def heard(self, said: Said, cards: Sequence[Card]) -> Move | None:
        """Choose who is next."""
        self._has_spoken(said)
        self.thread.add(said)
        self.previous = said.source
        if self.natural:
            if said.stop:
                return Finish(f"{said.source} said that the task is done")
            if self.turns >= len(present(cards)):
                return Finish("there were as many turns as there are members")
        return None if self.busy else self._choose(cards)

    def lost(self, member: str, reason: str, cards: Sequence[Card]) -> Move | None:
        """Choose somebody else."""
        self._is_lost(member, reason)
        return None if self.busy else self._choose(cards)

    def consulted(self, answer: Answer, cards: Sequence[Card]) -> Move | None:
        """Take the step of the choice that comes after this one."""
        self.consulting = False
        step, self.step = self.step, ""
        if self.speaking:
            return None
        match step:
            case "function":
                return self._function_chose(answer, cards)
            case "candidates":
                return self._candidates_named(answer, cards)
            case "model":
                return self._model_chose(answer, cards)
            case _:
                return self._choose(cards)

    def _choose(self, cards: Sequence[Card]) -> Move:
        self.options, self.attempts = None, 0
        self.objections.clear()
        if not self._reachable(cards):
            return self._nobody(cards)
        return self._ask_function(self.strategy.function, "function", cards) or self._narrow(cards)

    def _narrow(self, cards: Sequence[Card]) -> Move:
        return self._ask_function(self.strategy.candidates, "candidates", cards) or self._ask_model(cards)

    def _ask_function(self, tool: str, step: Literal["function", "candidates"], cards: Sequence[Card]) -> Move | None:
        if not tool:
            return None
        self.step = step
        participants: list[JsonValue] = [*names(self._reachable(cards))]
        arguments: dict[str, JsonValue] = {"messages": self.thread.messages(), "participants": participants}
        return self._consult(Consult(kind="function", tool=tool, arguments=arguments, for_turn=True))

    def _function_chose(self, answer: Answer, cards: Sequence[Card]) -> Move:
        tool = self.strategy.function
        if answer.error:
            return failed(f"the function {tool} that says who is next failed: {answer.error}")
        chosen = answer.output if isinstance(answer.output, str) else answer.text.strip()
        if chosen in ("", "null", "None"):
            return self._narrow(cards)
        if chosen in names(self._reachable(cards)):
            return self._speak([chosen])
        if chosen in names(cards):
            return self._narrow(cards)
        return failed(
            f"the function {tool} named {shortened(chosen, 100)!r}, who is no member; there are {listed(names(cards))}"
        )

    def _candidates_named(self, answer: Answer, cards: Sequence[Card]) -> Move:
        tool = self.strategy.candidates
        if answer.error:
            return failed(f"the function {tool} that names candidates failed: {answer.error}")
        named = answer.output
        if not isinstance(named, list) or not named:
            return failed(f"the function {tool} named no candidates; it answers with a list of names")
        if strangers := [name for name in named if name not in names(cards)]:
            told = listed(str(name) for name in strangers)
            return failed(f"the function {tool} named {told}, no members; there are {listed(names(cards))}")
        self.options = [str(name) for name in named]
        return self._ask_model(cards)

    def _ask_model(self, cards: Sequence[Card]) -> Move:
        options = self._open_to(cards)
        if not options:
            return self._nobody(cards)
        if len(options) == 1:
            return self._speak(options)
        self.step = "model"
        self.attempts += 1
        return self._consult(
            Consult(
                kind="model",
                models=tuple(self.strategy.model),
                prompt=self._prompt(options, cards),
                for_turn=True,
            )
        )

    def _model_chose(self, answer: Answer, cards: Sequence[Card]) -> Move:
        if answer.error:
            return failed(f"the model that says who is next failed: {answer.error}")
        options = self._open_to(cards)
        if not options:
            return self._nobody(cards)
        text = answer.output if isinstance(answer.output, str) else answer.text
        # Who may not speak counts too: a model that names one of these besides another has not made up its mind.
        named = [name for name in names(cards) if mentions(text, name)]
        if len(named) == 1 and named[0] in options:
            return self._speak(named)
        if self.attempts >= self.strategy.attempts:
            return self._speak([self.previous if self.previous in names(self._reachable(cards)) else options[0]])
        if len(named) == 1 and named[0] == self.previous:
            wrong = f"{self.previous} has just spoken and may not go on."
        elif len(named) == 1:
            wrong = f"{named[0]} cannot speak now."
        else:
            wrong = f"That names {listed(named)}." if named else "That names none of them."
        self.objections += [f"You answered: {shortened(text, ANSWER_CHARS)}", wrong]
        return self._ask_model(cards)

    def _open_to(self, cards: Sequence[Card]) -> list[str]:
        """Return whom the choice is between now."""
        reachable = names(self._reachable(cards))
        options = [name for name in self.options or reachable if name in reachable] or reachable
        others = [name for name in options if self.strategy.allow_repeats or name != self.previous]
        return others or options

    def _prompt(self, options: list[str], cards: Sequence[Card]) -> str:
        fields = {
            "{roles}": "\n".join(described(card) for card in cards if not card.gone),
            "{participants}": listed(options),
            "{history}": self.thread.told(),
        }
        template = self.strategy.prompt or PROMPT
        # In one pass, so that braces in what was said are not taken for a field.
        prompt = re.sub("|".join(map(re.escape, fields)), lambda field: fields[field.group()], template)
        if not self.objections:
            return prompt
        return "\n\n".join([prompt, *self.objections, f"Name exactly one of: {listed(options)}."])


def described(card: Card) -> str:
    """Return a member and what it is there for, on one line."""
    return " ".join(f"{card.name}: {card.role}".split()).removesuffix(":")


def mentions(text: str, name: str) -> bool:
    """Whether `name` stands in `text` as a word of its own; for `_` there may be a space, or a backslash before it."""
    spelled = "|".join(re.escape(name.replace("_", how)) for how in ("_", " ", r"\_"))
    return re.search(rf"(?<=\W)(?:{spelled})(?=\W)", f" {text} ") is not None
