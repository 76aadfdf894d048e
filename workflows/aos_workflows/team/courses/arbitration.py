"""Arbitration: which of several answers holds that contradict each other."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from pydantic import Field, JsonValue

from aos.limits import clip
from aos.strategy import Arbiter
from aos.wire import Wire
from aos_workflows.team.course import Answer, Consult, Said
from aos_workflows.team.courses.ledgers import object_in
from aos_workflows.team.courses.merging import Claim, Ruling, most_given, numbered
from aos_workflows.team.courses.thread import LINE_CHARS, THREAD_CHARS, shortened

MOST_TRIES = 3
"""How often a model is asked for a ruling that gives none which can be read."""

CLAIMS_CHARS = 20_000
"""How much of all claims a ruling keeps, in characters."""

REASON_CHARS = 1_000

QUESTION = """Members of a team gave answers that contradict each other.

The task: {task}
{purpose}
The answers:

{claims}

Which one holds? Judge by the task{by_purpose}. Answer with its number, and after it say why."""

FORM = 'Nothing but JSON, one object: {"number": ..., "reason": "..."}'


class Arbitration(Wire):
    """One contradiction on its way to a ruling. `votes` are by name: the number of a claim, and why."""

    arbiter: Arbiter
    task: str
    purpose: str = ""
    claims: list[Claim]
    tries: int = 0
    objection: str = ""
    votes: dict[str, tuple[int, str]] = Field(default_factory=dict[str, tuple[int, str]])

    def question(self) -> str:
        """Return what a member is asked."""
        share = max(200, THREAD_CHARS // len(self.claims))
        claims = [claim.model_copy(update={"text": shortened(claim.text, share)}) for claim in self.claims]
        return QUESTION.format(
            task=shortened(self.task, LINE_CHARS),
            purpose=f"The team's purpose: {self.purpose}\n" if self.purpose else "",
            claims=numbered(claims),
            by_purpose=" and by the team's purpose" if self.purpose else "",
        )

    def consult(self) -> Consult:
        """Return what a function or a model is asked."""
        self.tries += 1
        if self.arbiter.by == "rule":
            answers: list[JsonValue] = [
                {"number": number, "text": claim.text, "sources": [*claim.sources]}
                for number, claim in enumerate(self.claims, start=1)
            ]
            arguments: dict[str, JsonValue] = {"task": self.task, "purpose": self.purpose, "answers": answers}
            return Consult(kind="function", tool=self.arbiter.function, arguments=arguments)
        prompt = "\n\n".join([self.question(), FORM, *([self.objection] if self.objection else [])])
        return Consult(kind="model", models=tuple(self.arbiter.model), prompt=prompt, schema=self._schema())

    def consulted(self, answer: Answer) -> Ruling | None:
        """Return the ruling of a function or a model, or None where it is to be asked again."""
        who = f"the function {self.arbiter.function}" if self.arbiter.by == "rule" else "a model"
        if answer.error:
            return self.by_count(f"{who} gave no ruling: {answer.error}")
        number, reason = self._read(answer)
        if number:
            return self._ruling(number, who, reason)
        if self.arbiter.by == "model" and self.tries < MOST_TRIES:
            told = clip(answer.text or str(answer.output), 500)
            self.objection = f"You answered: {told}\n\nThat names none of the numbers 1 to {len(self.claims)}."
            return None
        return self.by_count(f"{who} named none of the answers")

    def judged(self, said: Said) -> Ruling:
        """Return the ruling of the member that is the arbiter."""
        if number := self._number_in(said.text):
            return self._ruling(number, said.source, said.text)
        return self.by_count(f"{said.source} named none of the answers")

    def vote(self, said: Said) -> None:
        """Count the vote of a member; one that names no answer is no vote."""
        if number := self._number_in(said.text):
            self.votes[said.source] = (number, clip(said.text, 300))

    def counted(self) -> Ruling:
        """Return the ruling of the vote. Among equals the answer that more had given, then the first."""
        if not self.votes:
            return self.by_count("nobody voted")
        count = Counter(number for number, _ in self.votes.values())
        number = max(count, key=lambda each: (count[each], len(self.claims[each - 1].sources), -each))
        reasons = "; ".join(f"{name}: {reason}" for name, (each, reason) in self.votes.items() if each == number)
        return self._ruling(number, "vote", f"{count[number]} of {len(self.votes)} voted for it; {reasons}")

    def by_count(self, why: str) -> Ruling:
        """Return the ruling where no arbiter gives one: the answer that most gave."""
        number = most_given(self.claims)
        return self._ruling(number, "count", f"{why}; {len(self.claims[number - 1].sources)} gave it, which is most")

    def _ruling(self, number: int, by: str, reason: str) -> Ruling:
        share = max(80, CLAIMS_CHARS // len(self.claims))
        claims = [claim.model_copy(update={"text": shortened(claim.text, share)}) for claim in self.claims]
        return Ruling(claims=claims, chosen=number, by=by, reason=clip(reason, REASON_CHARS))

    def _schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "number": {"type": "integer", "minimum": 1, "maximum": len(self.claims)},
                "reason": {"type": "string"},
            },
            "required": ["number", "reason"],
            "additionalProperties": False,
        }

    def _read(self, answer: Answer) -> tuple[int, str]:
        """Return the number and the reason in an answer, 0 where there is no number."""
        output = answer.output
        if output is None:
            try:
                output = object_in(answer.text)
            except ValueError:
                return self._number_in(answer.text), answer.text
        if isinstance(output, dict):
            return self._checked(output.get("number")), str(output.get("reason") or "")
        return self._checked(output), ""

    def _checked(self, number: JsonValue) -> int:
        whole = int(number) if isinstance(number, str) and number.strip().isdecimal() else number
        if isinstance(whole, bool) or not isinstance(whole, int):
            return 0
        return whole if 1 <= whole <= len(self.claims) else 0

    def _number_in(self, text: str) -> int:
        """Return the first number in a text if it is that of a claim, otherwise 0."""
        found = re.search(r"(?<![\w.])\d{1,6}(?!\w|\.\d)", text)
        return self._checked(found.group()) if found else 0
